const seed = 0x9747b28c | 0
const multiplier = 0x5bd1e995 | 0

/**
 * Murmur2 as Kafka's Java client computes it: a signed 32-bit number, so that a key goes to the same partition
 * whoever sends it. Source: Austin Appleby's MurmurHash2; Kafka's seed.
 */
export function murmur2(bytes: Uint8Array, length: number = bytes.length): number {
  let hash = seed ^ length
  const whole = length & ~3
  for (let at = 0; at < whole; at += 4) {
    let word = byte(bytes, at) | (byte(bytes, at + 1) << 8) | (byte(bytes, at + 2) << 16) | (byte(bytes, at + 3) << 24)
    word = Math.imul(word, multiplier)
    word = Math.imul(word ^ (word >>> 24), multiplier)
    hash = Math.imul(hash, multiplier) ^ word
  }
  const rest = length - whole
  if (rest === 3) hash ^= byte(bytes, whole + 2) << 16
  if (rest >= 2) hash ^= byte(bytes, whole + 1) << 8
  if (rest >= 1) hash = Math.imul(hash ^ byte(bytes, whole), multiplier)
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0
}
