import { expect, it } from 'vitest'
import { writesOfKafka } from './kafka-writes.mjs'

function frame(...parts) {
  const body = Buffer.concat(parts)
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length)
  return Buffer.concat([length, body])
}

const request = (key, number, bytes = 20) => frame(Buffer.from([0, key, 0, 9]), int(number), Buffer.alloc(bytes))
const answer = (number, bytes = 20) => frame(int(number), Buffer.alloc(bytes))

function int(number) {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(number)
  return bytes
}

const [produce, fetch, endTransaction] = [0, 1, 26]

it('knows the answers to records and to the ends of transactions, and no others', () => {
  const writes = writesOfKafka()
  for (const bytes of [request(fetch, 1), request(produce, 2), request(fetch, 3), request(endTransaction, 4)]) writes.asked(bytes)
  expect([1, 2, 3, 4].map((number) => writes.answered(answer(number)))).toEqual([false, true, false, true])
})

it('wherever the bytes are cut', () => {
  const asked = Buffer.concat([request(fetch, 1, 3), request(produce, 2, 0), request(fetch, 3, 7)])
  const answered = Buffer.concat([answer(1, 0), answer(2, 5), answer(3, 1)])
  for (const size of [1, 2, 3, 5, 11, 100]) {
    const writes = writesOfKafka()
    for (let at = 0; at < asked.length; at += size) writes.asked(asked.subarray(at, at + size))
    let count = 0
    for (let at = 0; at < answered.length; at += size) count += writes.answered(answered.subarray(at, at + size)) ? 1 : 0
    expect(count).toBe(1)
  }
})
