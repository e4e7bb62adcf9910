/** Castagnoli's polynomial, reversed. Four tables: four bytes at a step. */
const tables = Array.from({ length: 4 }, () => new Int32Array(256))
const [first, second, third, fourth] = tables as [Int32Array, Int32Array, Int32Array, Int32Array]
for (let byte = 0; byte < 256; byte += 1) {
  let value = byte
  for (let bit = 0; bit < 8; bit += 1) value = (value & 1) === 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  first[byte] = value
}
for (let byte = 0; byte < 256; byte += 1) {
  for (const [index, table] of tables.entries()) {
    if (index === 0) continue
    const before = tables[index - 1]?.[byte] ?? 0
    table[byte] = (before >>> 8) ^ (first[before & 0xff] ?? 0)
  }
}

/** The checksum of Kafka's record batches. */
export function crc32c(bytes: Uint8Array, from: number): number {
  let value = -1
  let at = from
  const steps = bytes.length - 3
  for (; at < steps; at += 4) {
    value ^= (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)
    value = (fourth[value & 0xff] ?? 0) ^ (third[(value >>> 8) & 0xff] ?? 0) ^ (second[(value >>> 16) & 0xff] ?? 0) ^ (first[value >>> 24] ?? 0)
  }
  for (; at < bytes.length; at += 1) value = (value >>> 8) ^ (first[(value ^ (bytes[at] ?? 0)) & 0xff] ?? 0)
  return (value ^ -1) >>> 0
}
