/** Parts of a key: u8, u16, u32 and f64 numbers (of zero or more) and bytes, each sorting as it should. */
export type Part = { readonly u8: number } | { readonly u16: number } | { readonly u32: number } | { readonly n: number } | { readonly text: string } | { readonly raw: Buffer }

/** Joins parts into one key. Only the last may be text or bytes of free length, or one that numbers follow by their fixed width. */
export function key(...parts: readonly Part[]): Buffer {
  return Buffer.concat(parts.map(bytesOf))
}

function bytesOf(part: Part): Buffer {
  if ('raw' in part) return part.raw
  if ('text' in part) return Buffer.from(part.text)
  const buffer = Buffer.alloc('n' in part ? 8 : 'u32' in part ? 4 : 'u16' in part ? 2 : 1)
  if ('n' in part) buffer.writeDoubleBE(part.n)
  else if ('u32' in part) buffer.writeUInt32BE(part.u32)
  else if ('u16' in part) buffer.writeUInt16BE(part.u16)
  else buffer[0] = part.u8
  return buffer
}

/** The first key after all keys that begin with `prefix`. */
export function after(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix)
  for (let at = end.length - 1; at >= 0; at -= 1) {
    const byte = end[at] ?? 0
    if (byte < 255) {
      end[at] = byte + 1
      return end.subarray(0, at + 1)
    }
  }
  return Buffer.concat([prefix, Buffer.alloc(16, 255)])
}

/** All keys that begin with `prefix`. */
export function within(prefix: Buffer): { start: Buffer; end: Buffer } {
  return { start: prefix, end: after(prefix) }
}

/** The last eight bytes of a key as a number. */
export function lastNumber(of: Buffer): number {
  return of.readDoubleBE(of.length - 8)
}

export const logKeyBytes = 15

/** A message's place in the log. The band byte is reserved for priorities; all messages are in band 0. */
export function logKey(topic: number, partition: number, offset: number): Buffer {
  const buffer = Buffer.allocUnsafe(logKeyBytes)
  buffer.writeUInt32BE(topic, 0)
  buffer.writeUInt16BE(partition, 4)
  buffer[6] = 0
  buffer.writeDoubleBE(offset, 7)
  return buffer
}
