import { type Asker, part } from '../client.js'
import type { ShownGroup, ShownHeld, ShownMessage, ShownTopic } from '../shown.js'

/** What a queue holds at one moment, as far as its health shows in it. */
export interface Survey {
  readonly at: number
  readonly topics: readonly { readonly name: string; readonly paused: boolean }[]
  readonly groups: readonly ShownGroup[]
  /** Of messages, as far as `isWhole`. */
  readonly bytes: number
  /** The newest of the last messages of each partition. */
  readonly newest: { readonly topic: string; readonly at: number } | null
  /** Where messages follow each other with times that go back, by how much. */
  readonly backwards: { readonly topic: string; readonly byMs: number } | null
  readonly prepared: readonly { readonly id: string; readonly heldAt: number; readonly isParked: boolean }[]
  /** Delays and retries whose time is over and which nobody has released, in milliseconds. */
  readonly overdue: readonly number[]
  /** False where there is more than was looked at. */
  readonly isWhole: boolean
}

/** Bounds of a look. */
const maxTopics = 200
const maxPartitions = 500
const maxHeld = 1_000
const lastMessages = 10

interface Described {
  readonly bytes: number
  readonly partitionList: readonly { readonly partition: number; readonly start: string; readonly end: string; readonly messages: number }[]
}

interface Last {
  readonly topic: string
  readonly times: readonly number[]
}

export async function survey(asker: Asker): Promise<Survey> {
  const [{ timestamp }, { topics }, { groups }] = await Promise.all([
    asker.get<{ readonly timestamp: string }>('/monitoring', { metrics: 'messageCount' }),
    asker.get<{ readonly topics: readonly ShownTopic[] }>('/topics'),
    asker.get<{ readonly groups: readonly ShownGroup[] }>('/groups'),
  ])
  const at = Date.parse(timestamp)
  const looked = topics.slice(0, maxTopics)
  let bytes = 0
  let left = maxPartitions
  const lasts: Last[] = []
  for (const { name } of looked) {
    const topic = await asker.get<Described>(`/topics/${part(name)}`)
    bytes += topic.bytes
    const filled = topic.partitionList.filter(({ messages }) => messages > 0)
    for (const each of filled.slice(0, left)) lasts.push({ topic: name, times: await lastTimes(asker, name, each) })
    left -= filled.length
  }
  const [prepared, delayed, retried] = await Promise.all((['prepared', 'delay', 'retry'] as const).map((why) => asker.get<{ readonly held: readonly ShownHeld[] }>('/held', { why, limit: maxHeld })))
  const overdue = [...(delayed?.held ?? []), ...(retried?.held ?? [])].flatMap(({ until }) => (until === null ? [] : [at - Date.parse(until)])).filter((late) => late > 0)
  return {
    at,
    topics: topics.map(({ name, status }) => ({ name, paused: status === 'inactive' })),
    groups,
    bytes,
    newest: newestOf(lasts),
    backwards: backwardsOf(lasts),
    prepared: (prepared?.held ?? []).map(({ id, heldAt, until }) => ({ id, heldAt: Date.parse(heldAt), isParked: until === null })),
    overdue,
    isWhole: topics.length <= maxTopics && left >= 0,
  }
}

/** Times of the last messages of a partition, save those that waited for their time and those whose sender says when. */
async function lastTimes(asker: Asker, topic: string, { partition, start, end }: Described['partitionList'][number]): Promise<readonly number[]> {
  const back = BigInt(end) - BigInt(lastMessages)
  const offset = String(back > BigInt(start) ? back : start)
  const { messages } = await asker.get<{ readonly messages: readonly ShownMessage[] }>(`/topics/${part(topic)}/messages`, { partition, offset, limit: lastMessages })
  return messages.filter(({ messageType }) => messageType === 'normal').map(({ timestamp }) => Date.parse(timestamp))
}

function newestOf(lasts: readonly Last[]): Survey['newest'] {
  const newest = lasts.map(({ topic, times }) => ({ topic, at: Math.max(...times) })).filter(({ at }) => Number.isFinite(at))
  return newest.toSorted((one, other) => other.at - one.at)[0] ?? null
}

function backwardsOf(lasts: readonly Last[]): Survey['backwards'] {
  const steps = lasts.flatMap(({ topic, times }) => times.slice(1).map((time, index) => ({ topic, byMs: (times[index] ?? time) - time })))
  return steps.filter(({ byMs }) => byMs > 0).toSorted((one, other) => other.byMs - one.byMs)[0] ?? null
}
