import { isUtf8 } from 'node:buffer'

const escapes = /[\udc80-\udcff]/u

/**
 * A key as bytes: UTF-8, and a lone surrogate U+DC80 to U+DCFF for the byte 80 to FF that it stands for
 * (PEP 383, surrogateescape), so that keys of other producers come back as they were.
 */
export function keyBytes(key: string): Buffer {
  if (!escapes.test(key)) return Buffer.from(key)
  const parts: Buffer[] = []
  for (const character of key) {
    const code = character.codePointAt(0) ?? 0
    parts.push(code >= 0xdc80 && code <= 0xdcff ? Buffer.from([code - 0xdc00]) : Buffer.from(character))
  }
  return Buffer.concat(parts)
}

/** The key that `keyBytes` makes these bytes of. */
export function keyText(bytes: Buffer): string {
  const plain = bytes.toString()
  // What is not UTF-8 was replaced by this character; a key may have it too.
  if (!plain.includes('\ufffd') || isUtf8(bytes)) return plain
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const character = validAt(bytes, at)
    text += character?.toString() ?? String.fromCharCode(0xdc00 + (bytes[at] ?? 0))
    at += character?.length ?? 1
  }
  return text
}

/** The one character that begins at `at`, if it is UTF-8. */
function validAt(bytes: Buffer, at: number): Buffer | undefined {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length += 1) {
    const part = bytes.subarray(at, at + length)
    if (isUtf8(part)) return part
  }
  return undefined
}
