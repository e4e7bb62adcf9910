const slots = 16_384

/** Commands that name no key, and mean the connection on which the keys of before were written. */
export const ofConnection = new Set(['WAIT', 'WAITAOF', 'INFO', 'CONFIG', 'PING', 'TIME', 'CLIENT'])

/** What decides a key's slot: what stands in its first braces, or all of it. */
export function tagOf(key: string): string {
  const open = key.indexOf('{')
  if (open < 0) return key
  const close = key.indexOf('}', open + 1)
  return close > open + 1 ? key.slice(open + 1, close) : key
}

/** The slot of a key or a sharded channel in a cluster: CRC-16/XMODEM of its tag. */
export function slotOf(key: string): number {
  let crc = 0
  for (const byte of Buffer.from(tagOf(key))) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff
  }
  return crc % slots
}
