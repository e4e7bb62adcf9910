import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyBytes, keyText } from './key-bytes.js'

describe('key bytes', () => {
  it('any bytes come back as they were', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(keyBytes(keyText(Buffer.from(bytes)))).toEqual(Buffer.from(bytes))
    }))
  })

  it('a lone surrogate stands for the byte that was not UTF-8', () => {
    expect([...keyBytes('a\udcff\udc80é')]).toEqual([0x61, 0xff, 0x80, 0xc3, 0xa9])
  })

  it('any well-formed text comes back as it was', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(keyText(keyBytes(text))).toBe(text)
    }))
  })
})
