import { expect, it } from 'vitest'
import { slotOf, tagOf } from './slots.js'

it('finds a slot as CLUSTER KEYSLOT does', () => {
  expect([slotOf('123456789'), slotOf('foo'), slotOf('bar'), slotOf('')]).toEqual([0x31c3, 12_182, 5_061, 0])
})

it('looks at the first braces alone, when something stands in them', () => {
  expect([tagOf('millrace:{T/1}log'), tagOf('a{}b'), tagOf('a{b'), tagOf('{a}{b}')]).toEqual(['T/1', 'a{}b', 'a{b', 'a'])
})
