import { type CursorState, cursorAt, type Run } from '../../engine/cursor/cursor-state.js'
import type { Reply } from './port.js'

/** Where a group stands in a partition, as its hash has it. Counts are of entries of the log; those of held rows are in fields of their own. */
export interface CursorRow {
  readonly epoch: number
  /** Grows with each commit of an epoch. */
  readonly version: number
  /** Member's name, null for nobody. */
  readonly owner: string | null
  /** Which membership: a name may be used again, and a failover can hand out an epoch twice. */
  readonly membership: string
  /** The membership that wrote `state`. What it says to be leased was in that one's hands. */
  readonly writer: string
  readonly state: CursorState
  /** How many entries of the log, since the topic began and trimmed ones among them, lie before `state.next`. */
  readonly read: number
  readonly leased: number
  /** Taken before, and to be had again. */
  readonly waiting: number
  /** Released rows in hand. */
  readonly copies: number
  readonly settled: number
  readonly purged: number
}

/** In the order in which `decodeCursor` takes their values. */
export const cursorFields = ['e', 'v', 'o', 'i', 'by', 's', 'read', 'leased', 'waiting', 'copies', 'settled', 'purged'] as const

/** Undefined where there is no cursor. */
export function decodeCursor(values: readonly Reply[]): CursorRow | undefined {
  const [epoch, version, owner, membership, writer, state, ...counts] = values
  if (epoch === null || epoch === undefined) return undefined
  const [read = 0, leased = 0, waiting = 0, copies = 0, settled = 0, purged = 0] = counts.map(numberOf)
  return {
    epoch: numberOf(epoch), version: numberOf(version), owner: textOf(owner) || null, membership: textOf(membership), writer: textOf(writer),
    state: state ? decodeState(textOf(state)) : cursorAt(0),
    read, leased, waiting, copies, settled, purged,
  }
}

export function encodeState({ next, leased, waiting, again, copies }: CursorState): string {
  return JSON.stringify({ next, leased, waiting, again, copies })
}

function decodeState(text: string): CursorState {
  return JSON.parse(text) as CursorState // written by `encodeState`
}

/** Reads on from `place`. What is in hand lapses; what waits before the place goes on waiting. */
export function seekState(state: CursorState, place: number): CursorState {
  const waiting = state.waiting.flatMap(([from, to]): Run[] => (from < place ? [[from, Math.min(to, place)]] : []))
  const again = state.again.filter(([offset]) => waiting.some(([from, to]) => from <= offset && offset < to))
  return { ...cursorAt(place), waiting, again }
}

function numberOf(reply: Reply | undefined): number {
  return reply === null || reply === undefined ? 0 : Number(textOf(reply))
}

function textOf(reply: Reply | undefined): string {
  if (typeof reply === 'number') return String(reply)
  return Buffer.isBuffer(reply) ? reply.toString() : ''
}
