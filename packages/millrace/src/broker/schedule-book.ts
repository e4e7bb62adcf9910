import { type Draft, type Hold, isMillraceError, limits, messageHold, MillraceError, type Millis } from '../core/index.js'
import type { Held, Page } from '../engine/index.js'
import { json } from './codec.js'
import { MessageHeaders, reservedHeaders } from './headers.js'
import type { Runtime } from './runtime.js'

/** Where the book of schedules is: a topic whose messages are held until somebody decides, and never read. */
export const scheduleTopic = 'millrace-schedules'

/** What the store knows of a schedule. */
export interface Entry {
  readonly topic: string
  readonly name: string
  readonly everyMs?: Millis
  /** Of the plan that counts: the one that was set last. */
  readonly mark: string
  /** Grows with every plan that takes the place of another. */
  readonly revision: number
  /** The slots of the plan before may still be held. */
  readonly unswept?: boolean
  /** The slot that was planned last. */
  readonly next: Millis
}

const kept: Hold = { why: 'delay', until: 'decided', then: 'release', attempt: 0 }

/** Which plan of each schedule counts, for all instances on a store. */
export class ScheduleBook {
  readonly #runtime: Runtime

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  async read(topic: string, name: string): Promise<Entry | undefined> {
    const { items } = await this.#runtime.engine.holds({ id: holdOf({ topic, name }), limit: 1 })
    return items[0] && entryOf(items[0])
  }

  /** False when there is one already. */
  async insert(entry: Entry): Promise<boolean> {
    const { engine, clock } = this.#runtime
    const draft: Draft = { id: idOf(entry), topic: scheduleTopic, partition: 0, key: null, value: json.encode(entry), headers: [], timestamp: clock.wall(), producerId: scheduleTopic, hold: kept }
    const [answer] = await engine.publish([draft])
    if (!answer || 'ok' in answer) return true
    if (answer.error.code === 'HELD_ALREADY') return false
    throw answer.error
  }

  /** Nothing where there is none: it was removed. */
  async update(entry: Entry): Promise<void> {
    await this.#runtime.engine.decide([{ hold: holdOf(entry), to: 'hold', anew: kept, edit: { value: json.encode(entry) } }])
  }

  /** False when there was none. */
  async remove(topic: string, name: string): Promise<boolean> {
    const [decided] = await this.#runtime.engine.decide([{ hold: holdOf({ topic, name }), to: 'drop' }])
    return decided !== 'gone'
  }

  async list(limit: number, cursor: string | undefined): Promise<Page<Entry>> {
    const page = await this.#held(scheduleTopic, limit, cursor)
    return { ...page, items: page.items.map(entryOf) }
  }

  /** Cancels the slots that are held of a schedule: all, or those to come of other revisions. Looks through all delayed messages of the topic. */
  async sweep(topic: string, name: string, but?: number): Promise<void> {
    const { engine, clock } = this.#runtime
    const isOver = ({ message, hold }: Held): boolean => {
      if (!message.id.startsWith(`${name}@`) || new MessageHeaders(message.headers).get(reservedHeaders.schedule) !== name) return false
      return but === undefined || (Number(hold.until) > clock.wall() && !message.id.endsWith(revisionEnd(but)))
    }
    let cursor: string | undefined
    do {
      const page = await this.#held(topic, limits.maxPage, cursor)
      const over = page.items.filter(isOver)
      if (over.length > 0) await engine.decide(over.map(({ id }) => ({ hold: id, to: 'drop' })))
      cursor = page.cursor
    } while (cursor !== undefined)
  }

  /** None where there is no such topic: nobody has set a schedule yet, or it was removed. */
  async #held(topic: string, limit: number, cursor: string | undefined): Promise<Page<Held>> {
    try {
      return await this.#runtime.engine.holds({ topic, why: 'delay', limit, ...(cursor !== undefined && { cursor }) })
    } catch (error) {
      if (isMillraceError(error) && error.code === 'UNKNOWN_TOPIC') return { items: [] }
      throw error
    }
  }
}

/** The id of a slot's message, the same whoever plans it. */
export function slotId(name: string, at: Millis, revision: number): string {
  return `${name}@${new Date(at).toISOString()}${revisionEnd(revision)}`
}

function revisionEnd(revision: number): string {
  return `~${revision.toString(36)}`
}

function idOf({ topic, name }: Pick<Entry, 'topic' | 'name'>): string {
  return `${topic}:${name}`
}

function holdOf(entry: Pick<Entry, 'topic' | 'name'>): string {
  return messageHold(scheduleTopic, idOf(entry))
}

function entryOf({ id, message }: Held): Entry {
  const entry = json.decode(message.value)
  if (typeof entry === 'object' && entry !== null && 'mark' in entry) return entry as Entry // nobody else writes there
  throw new MillraceError('STORE_DAMAGED', `${id} is not the entry of a schedule`)
}
