import type { Asker } from './client.js'
import type { ShownGroup, ShownTopic } from './shown.js'

/** Counts of one moment. */
export interface Look {
  readonly at: string
  readonly topics: readonly { readonly topic: string; readonly published: number; readonly paused: boolean }[]
  readonly groups: readonly ShownGroup[]
}

/** What moved between two looks, in messages a second; null where there is nothing to compare with. */
export interface Busy {
  readonly at: string
  /** Of all topics. */
  readonly in: number | null
  readonly out: number | null
  readonly topics: readonly { readonly topic: string; readonly in: number | null; readonly published: number; readonly paused: boolean }[]
  readonly groups: readonly BusyGroup[]
}

export interface BusyGroup {
  readonly topic: string
  readonly group: string
  /** Finished. */
  readonly out: number | null
  readonly lag: number
  /** Age of the oldest message that is ready or in somebody's hands. */
  readonly oldestMs: number | null
  /** In the hands of members, or on loan over HTTP. */
  readonly leased: number
  readonly retrying: number
  readonly dead: number
  readonly members: number
  readonly paused: boolean
}

export async function look(asker: Asker, topicName: string | undefined): Promise<Look> {
  const [{ topics: counted, timestamp }, { groups }, { topics }] = await Promise.all([
    asker.get<{ readonly topics: readonly { readonly name: string; readonly messageCount: number }[]; readonly timestamp: string }>('/monitoring', { topicName, metrics: 'messageCount' }),
    asker.get<{ readonly groups: readonly ShownGroup[] }>('/groups', { topicName }),
    asker.get<{ readonly topics: readonly ShownTopic[] }>('/topics'),
  ])
  const paused = new Set(topics.filter(({ status }) => status === 'inactive').map(({ name }) => name))
  return { at: timestamp, topics: counted.map(({ name, messageCount }) => ({ topic: name, published: messageCount, paused: paused.has(name) })), groups }
}

export function busyBetween(before: Look | undefined, now: Look): Busy {
  const seconds = before ? (Date.parse(now.at) - Date.parse(before.at)) / 1_000 : 0
  const published = new Map(before?.topics.map(({ topic, published: count }) => [topic, count]))
  const settled = new Map(before?.groups.map((each) => [nameOf(each), each.settled]))
  const rate = (was: number | undefined, is: number): number | null => (before === undefined || seconds <= 0 ? null : perSecond(was, is, seconds))
  const topics = now.topics.map(({ topic, published: count, paused }) => ({ topic, in: rate(published.get(topic), count), published: count, paused }))
  const groups = now.groups.map((each): BusyGroup => {
    const { topicName, groupId, lag, leased, lent, retrying, dead, consumerCount, paused, oldest } = each
    const oldestMs = oldest === null ? null : Math.max(0, Date.parse(now.at) - Date.parse(oldest))
    return { topic: topicName, group: groupId, out: rate(settled.get(nameOf(each)), each.settled), lag, oldestMs, leased: leased + lent, retrying, dead, members: consumerCount, paused }
  })
  return { at: now.at, in: sum(topics.map((each) => each.in)), out: sum(groups.map((each) => each.out)), topics, groups }
}

/** What was not there before began at nothing; what has become less was made anew. */
function perSecond(was = 0, is: number, seconds: number): number {
  return Math.round(((is < was ? is : is - was) / seconds) * 10) / 10
}

function nameOf({ topicName, groupId }: ShownGroup): string {
  return `${topicName} ${groupId}`
}

function sum(rates: readonly (number | null)[]): number | null {
  return rates.includes(null) ? null : Math.round(rates.reduce<number>((total, each) => total + (each ?? 0), 0) * 10) / 10
}
