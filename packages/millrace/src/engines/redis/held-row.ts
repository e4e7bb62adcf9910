import type { Millis } from '../../core/clock.js'
import type { Ask, Hold } from '../../core/hold.js'
import type { Offset } from '../../core/message.js'
import { type EntryPlace, fieldsOf, messageOf, type Placed } from './entry.js'

/**
 * Why a row is kept. Of a group: r retrying, d dead, l lent, R released and not finished, w waiting behind an earlier message of its key. Of a message that
 * nobody has seen: y delayed, p prepared.
 */
export type HeldState = 'r' | 'd' | 'l' | 'R' | 'w' | 'y' | 'p'

/** A held message as it is kept. */
export interface HeldRow {
  readonly state: HeldState
  readonly hold: Hold
  readonly heldAt: Millis
  /** Later messages of its key wait for it. */
  readonly blocks: boolean
  /** Whoever held it asked for `park`. */
  readonly park: boolean
  /** Released or waiting: an earlier owner died with it. */
  readonly alone: boolean
  /** How many deliveries it has had; released or waiting: which one the next is. */
  readonly attempt: number
  readonly message: Placed<Offset | null>
  /** Of a message that nobody has seen: its dedup id, whose place in the log is written where others look once it has one. */
  readonly dedup?: string
}

/** As it was read: a change of it names the version. */
export interface KeptRow extends HeldRow {
  readonly version: number
}

/** What of a hold is in a row's JSON; the rest is in its head, or follows from its state. */
interface About extends Partial<Pick<Hold, 'why' | 'failure' | 'token'>> {
  readonly until: Millis | 'decided'
  readonly then?: Ask
  readonly heldAt: Millis
  readonly dedup?: string
}

/**
 * A row's bytes, which scripts read too, little-endian: state c1 | flags u8 | attempt u32 | lengths of JSON, meta and key u32 each | version f64, which
 * the script that stores the row fills in | JSON | meta | key | value to the end.
 */
const headBytes = 1 + 1 + 4 + 3 * 4 + 8
const flag = { blocks: 1, alone: 2, park: 4, dedup: 8 } as const
const whyOf = { r: 'retry', d: 'dead', l: 'lent', y: 'delay', p: 'prepared' } as const
const states = { retry: 'r', dead: 'd', lent: 'l', delay: 'y', prepared: 'p' } as const

/** The state of a message that is held so. */
export function heldState({ why }: Pick<Hold, 'why'>): HeldState {
  return states[why]
}

/** Whether it is still held: who owns its partition may have it already. */
export function isHeldState(state: HeldState): state is keyof typeof whyOf {
  return state in whyOf
}

export function encodeHeld({ state, hold, heldAt, blocks, park, alone, attempt, message, dedup }: HeldRow): Buffer {
  const { until, then, failure, token } = hold
  const about: About = { until, heldAt, ...(isHeldState(state) ? {} : { why: hold.why }), ...(then === 'release' ? {} : { then }), ...(failure && { failure }), ...(token !== undefined && { token }), ...(dedup !== undefined && { dedup }) }
  const json = Buffer.from(JSON.stringify(about))
  const { value, key, meta } = fieldsOf(message)
  const head = Buffer.alloc(headBytes)
  head.write(state, 'latin1')
  head[1] = (blocks ? flag.blocks : 0) | (alone ? flag.alone : 0) | (park ? flag.park : 0) | (dedup === undefined ? 0 : flag.dedup)
  head.writeUInt32LE(attempt, 2)
  head.writeUInt32LE(json.length, 6)
  head.writeUInt32LE(meta.length, 10)
  head.writeUInt32LE(key.length, 14)
  return Buffer.concat([head, json, meta, key, value])
}

/** `group`: whose it is, undefined for a message that nobody has seen. */
export function decodeHeld(place: EntryPlace<Offset | null>, group: string | undefined, row: Buffer): KeptRow {
  const state = row.toString('latin1', 0, 1) as HeldState // rows are written by `encodeHeld` and by scripts that know its states
  const flags = row[1] ?? 0
  const attempt = row.readUInt32LE(2)
  const jsonEnd = headBytes + row.readUInt32LE(6)
  const metaEnd = jsonEnd + row.readUInt32LE(10)
  const keyEnd = metaEnd + row.readUInt32LE(14)
  const { until, then = 'release', heldAt, failure, token, dedup, why = 'retry' } = JSON.parse(row.toString('utf8', headBytes, jsonEnd)) as About // written by `encodeHeld`
  const hold: Hold = {
    why: isHeldState(state) ? whyOf[state] : why, until, then, attempt,
    ...(group !== undefined && { group }), ...(failure && { failure }), ...(token !== undefined && { token }),
  }
  return {
    state, hold, heldAt, attempt,
    blocks: (flags & flag.blocks) !== 0,
    park: (flags & flag.park) !== 0,
    alone: (flags & flag.alone) !== 0,
    version: row.readDoubleLE(18),
    message: messageOf(place, { meta: row.subarray(jsonEnd, metaEnd), key: row.subarray(metaEnd, keyEnd), value: row.subarray(keyEnd) }),
    ...(dedup !== undefined && { dedup }),
  }
}

/** Whether later messages of the key wait behind a message that is held so. */
export function isBlocking({ why }: Hold, park: boolean, key: string | null): boolean {
  return key !== null && (why === 'lent' || (why === 'retry' && park))
}
