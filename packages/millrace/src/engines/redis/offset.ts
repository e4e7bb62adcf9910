import type { Offset } from '../../core/message.js'

/** Entries of one millisecond whose ids are offsets. An entry of others beyond them has none until it is moved. */
export const perMs = 4_096

const dashByte = 0x2d
const zeroByte = 0x30

/** The offset of a stream's entry `ms-seq`, or undefined where its seq is too high for one. Exact up to the year 2039. */
export function offsetOf(id: Buffer | string): number | undefined {
  const bytes = typeof id === 'string' ? Buffer.from(id, 'latin1') : id
  const dash = bytes.indexOf(dashByte)
  const seq = digitsOf(bytes, dash + 1, bytes.length)
  return seq < perMs ? digitsOf(bytes, 0, dash) * perMs + seq : undefined
}

/** Without a text between: every entry that is read has one. */
function digitsOf(bytes: Buffer, from: number, to: number): number {
  let number = 0
  for (let at = from; at < to; at += 1) number = number * 10 + (bytes[at] ?? zeroByte) - zeroByte
  return number
}

/** The id of the entry at an offset. */
export function streamId(offset: Offset | number): string {
  const at = Number(offset)
  const seq = at % perMs
  return `${(at - seq) / perMs}-${seq}`
}

/** The id before that of an offset, for what reads after an id. Also right where the entry before has a seq beyond `perMs`. */
export function idBefore(offset: Offset | number): string {
  const at = Number(offset)
  const seq = at % perMs
  if (seq > 0) return `${(at - seq) / perMs}-${seq - 1}`
  return at === 0 ? '0-0' : `${at / perMs - 1}-18446744073709551615`
}
