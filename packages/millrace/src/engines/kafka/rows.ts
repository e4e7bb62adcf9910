import type { Millis } from '../../core/clock.js'
import { groupHold, type Hold, type HoldId, messageHold } from '../../core/hold.js'
import type { Offset } from '../../core/message.js'
import type { Topic } from '../../core/topic.js'
import type { Decision, Held } from '../../engine/engine.js'
import type { CursorState } from '../../engine/cursor/cursor-state.js'
import { packMessage, readRecord } from '../../engine/record.js'
import type { Entry } from './ledger.js'

/** A topic in the registry. */
export interface TopicRow {
  readonly topic: Topic
  /** It is being removed: nobody knows it any more, and its name is not free yet. */
  readonly removing?: true
}

/** What a group is, beside where it stands. */
export interface GroupRow {
  readonly createdAt: Millis
  readonly paused: boolean
}

/** Where a group stands in a partition, and whose it is. */
export interface CursorRow extends CursorState {
  readonly owner: string | null
  readonly settled: number
  readonly purged: number
}

/** A held message as it is kept. */
export interface HeldRow {
  readonly hold: Hold
  readonly heldAt: Millis
  readonly partition: number
  /** Null for a message that has no place yet. */
  readonly offset: Offset | null
  /** Later messages of its key wait for it. */
  readonly blocks: boolean
  /** Whoever held it asked for `park`. */
  readonly park: boolean
  /** It was released to its group: no longer held, and not yet finished. */
  readonly released?: { readonly attempt: number; readonly alone: boolean }
  /** It was dropped: nothing but a mark, until the steward has counted it. */
  readonly dropped?: keyof Dropped
  /** In which it was held, among all of the topic; absent: as the ledger says. */
  readonly order?: Offset
  readonly message: Held['message']
}

/** How many held messages of a group were dropped: of the lent ones they are settled, of others purged. */
export interface Dropped {
  readonly settled: number
  readonly purged: number
}

/** What the steward has counted for a group, which was created then. */
export interface DropsRow extends Dropped {
  readonly createdAt: Millis
  /** The place in the ledger's log of the last mark that is in it. */
  readonly upTo: number
}

/** Who ripens, releases and cleans for a topic. */
export interface StewardRow {
  /** Empty once it was given up: the row stays, so that its epoch only grows. */
  readonly instance: string
  /** It is a keeper: only then does anything ripen. */
  readonly keeps: boolean
  readonly beats: number
}

/** A decision about a message without a place, for the steward; with its answer once it has been carried out. */
export interface WantRow {
  readonly decision: Decision
  readonly answer?: 'done' | 'gone'
}

export const ids = {
  topic: (name: string): string => `t/${name}`,
  group: (group: string): string => `g/${group}`,
  cursor: (group: string, partition: number): string => `c/${group}/${partition}`,
  /** Of a group's hold. */
  placed: (group: string, partition: number, offset: Offset | number): string => `r/${group}/${partition}/${offset}`,
  /** Of a message's hold, which no group has seen. */
  draft: (id: string): string => `h/${id}`,
  drops: (group: string): string => `d/${group}`,
  steward: 's',
  want: (nonce: string): string => `w/${nonce}`,
} as const

/** The ledger's id of a hold; undefined when it is none of this engine's. */
export function heldId(hold: HoldId): { readonly topic: string; readonly id: string } | undefined {
  const [, draftTopic, draft] = /^([^:/]+):(.*)$/su.exec(hold) ?? []
  if (draftTopic !== undefined && draft !== undefined) return { topic: draftTopic, id: ids.draft(draft) }
  const [, topic, partition, offset, group] = /^([^:/]+)\/(\d+)\/(\d+)@(.+)$/su.exec(hold) ?? []
  if (topic === undefined || group === undefined) return undefined
  return { topic, id: ids.placed(group, Number(partition), BigInt(offset ?? 0)) }
}

export function holdIdOf(topic: string, { hold, partition, offset, message }: Pick<HeldRow, 'hold' | 'partition' | 'offset' | 'message'>): HoldId {
  return offset === null || hold.group === undefined ? messageHold(topic, message.id) : groupHold(topic, partition, offset, hold.group)
}

/** A row as JSON. Offsets and bytes, which JSON has not, become objects of one field. */
export function encode(row: unknown): Buffer {
  return Buffer.from(JSON.stringify(row, function (this: Record<string, unknown>, field: string, value: unknown) {
    // Before a Buffer's own toJSON.
    const raw = this[field]
    if (typeof raw === 'bigint') return { $offset: String(raw) }
    return raw instanceof Uint8Array ? { $bytes: Buffer.from(raw).toString('base64') } : value
  }))
}

/** The same where there is nothing that JSON has not. */
export function encodeCursor(row: CursorRow): Buffer {
  return Buffer.from(JSON.stringify(row))
}

export function decode<Row>({ value }: Pick<Entry, 'value'>): Row {
  const text = value.toString()
  // What is in a ledger was written by `encode`. Most rows, and those that are read most, have nothing in them that JSON has not.
  if (!text.includes('{"$')) return JSON.parse(text) as Row
  return JSON.parse(text, (_, each: unknown) => {
    if (typeof each !== 'object' || each === null) return each
    if ('$offset' in each) return BigInt(String(each.$offset))
    return '$bytes' in each ? Buffer.from(String(each.$bytes), 'base64') : each
  }) as Row
}

/** A held message: four bytes of length, what is known of the hold as JSON, the message's bytes. */
export function encodeHeld({ message, ...row }: HeldRow): Buffer {
  const about = encode(row)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(about.length)
  return Buffer.concat([length, about, packMessage(message)])
}

/** What is known of the hold, without the message. */
export function decodeAbout(value: Buffer): Omit<HeldRow, 'message'> {
  return decode({ value: value.subarray(4, aboutEnd(value)) })
}

export function decodeHeld(topic: string, { value }: Pick<Entry, 'value'>): HeldRow {
  const row = decodeAbout(value)
  const message = readRecord(value.subarray(aboutEnd(value)), { topic, partition: row.partition, offset: row.offset ?? 0n })
  // A copy of the row with one field more would have a shape of its own each time, which takes more room than the row.
  return Object.assign(row, { message: { ...message, offset: row.offset } })
}

function aboutEnd(value: Buffer): number {
  return 4 + value.readUInt32LE(0)
}
