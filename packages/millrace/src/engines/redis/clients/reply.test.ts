import { expect, it } from 'vitest'
import { replyOf } from './reply.js'

const b = (text: string): Buffer => Buffer.from(text)

it.each([
  ['a list of pairs', [[b('1-1'), [b('f'), b('v')]]]],
  ['lists of pairs by GLIDE', [{ key: b('1-1'), value: [[b('f'), b('v')]] }]],
])('reads entries told as %s', (_how, answer) => {
  expect(replyOf(answer, ['XRANGE', 's', '-', '+'])).toEqual([[b('1-1'), [b('f'), b('v')]]])
})

it.each([
  ['a flat list', [b('a'), b('1')]],
  ['keys and values', [{ key: b('a'), value: b('1') }]],
  ['a Map', new Map([['a', b('1')]])],
  ['an object', { a: b('1') }],
])('reads a map told as %s', (_how, answer) => {
  expect(replyOf(answer, ['HGETALL', 'h'])).toEqual([b('a'), b('1')])
})

it('leaves a list of a script as it is', () => {
  expect(replyOf([1, b('a'), [null, b('b')]], ['EVALSHA', 'f1', 0])).toEqual([1, b('a'), [null, b('b')]])
})

it('makes scores flat', () => {
  expect(replyOf([[b('m'), 1.5]], ['ZRANGE', 'z', 0, -1, 'WITHSCORES'])).toEqual([b('m'), 1.5])
})

it('has bytes for text, 1 and nothing for true and false', () => {
  expect(['OK', true, false, undefined].map((each) => replyOf(each, ['X']))).toEqual([b('OK'), 1, null, null])
})
