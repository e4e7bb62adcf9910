import { expect, it } from 'vitest'
import { Waits } from './waits.mjs'

const ms = 1_000
const of = { topic: 't', group: 'a' }

function waitsOf(...events) {
  const waits = new Waits()
  for (const event of events) waits.take(event)
  return waits.found()
}

function sent(id, at, call) {
  return [{ kind: 'invoke', op: 'send', process: 'p', call, topic: 't', id, at: at - 1 }, { kind: 'ok', process: 'p', call, at }]
}

it('a message waits from its acknowledgement to its first delivery, and the longest counts', () => {
  const first = [...sent('1', 10 * ms, 1), { kind: 'delivered', ...of, id: '1', at: 15 * ms }, { kind: 'delivered', ...of, id: '1', at: 900 * ms }]
  expect(waitsOf(...first, ...sent('2', 20 * ms, 2), { kind: 'delivered', ...of, id: '2', at: 60 * ms })).toMatchObject({ waitedMs: 40, backMs: null })
})

it('a delayed message and an answer to something else are nothing to wait for', () => {
  const delayed = [{ kind: 'invoke', op: 'send', process: 'p', call: 1, topic: 't', id: '1', due: 5, at: 1 }, { kind: 'ok', process: 'p', call: 1, at: 2 }]
  const verdict = [{ kind: 'invoke', op: 'settle', process: 'p', call: 2, topic: 't', id: '1', at: 3 }, { kind: 'ok', process: 'p', call: 2, at: 4 }]
  expect(waitsOf(...delayed, ...verdict, { kind: 'delivered', ...of, id: '1', at: 900 * ms })).toMatchObject({ waitedMs: 0 })
})

it('a group is back with its first delivery after the end of a fault that happened', () => {
  const groups = ['a', 'b'].map((group) => ({ kind: 'group', topic: 't', group, at: 0 }))
  const fault = (at, happened) => [{ kind: 'fault', phase: 'begin', at: at - 1 }, { kind: 'fault', phase: 'end', at, happened }]
  const delivered = (group, at) => ({ kind: 'delivered', topic: 't', group, id: String(at), at })
  expect(waitsOf(...groups, ...fault(100 * ms, true), delivered('a', 120 * ms), delivered('b', 170 * ms), delivered('a', 800 * ms), ...fault(900 * ms, false), delivered('a', 999 * ms))).toMatchObject({ backMs: 70 })
})
