import { expect, it } from 'vitest'
import { writesOfRedis } from './redis-writes.mjs'

const call = (...args) => Buffer.from(`*${args.length}\r\n${args.map((each) => `$${each.length}\r\n${each}\r\n`).join('')}`)
const asked = [call('GET', 'a'), call('EVALSHA', 'f', '1', 'EVAL'), call('XRANGE', 'l', '-', '+'), call('EVAL', '', '0')]
const answered = ['$-1\r\n', '*2\r\n:1\r\n*1\r\n$3\r\na\nb\r\n', '*1\r\n*2\r\n$3\r\n1-1\r\n*0\r\n', '-ERR no\r\n'].map((text) => Buffer.from(text))

it('knows the answers to scripts, and no others', () => {
  const writes = writesOfRedis()
  for (const bytes of asked) writes.asked(bytes)
  expect(answered.map((bytes) => writes.answered(bytes))).toEqual([false, true, false, true])
})

it('wherever the bytes are cut', () => {
  const [all, answers] = [Buffer.concat(asked), Buffer.concat(answered)]
  for (const size of [1, 2, 3, 5, 11, 100]) {
    const writes = writesOfRedis()
    for (let at = 0; at < all.length; at += size) writes.asked(all.subarray(at, at + size))
    let count = 0
    for (let at = 0; at < answers.length; at += 1) count += writes.answered(answers.subarray(at, at + 1)) ? 1 : 0
    expect(count).toBe(2)
  }
})

it('what is pushed answers nothing', () => {
  const writes = writesOfRedis()
  writes.asked(call('EVALSHA', 'f', '0'))
  expect(writes.answered(call('message', 'channel', 'text'))).toBe(false)
  expect(writes.answered(Buffer.from(':1\r\n'))).toBe(true)
})
