import { expect, it } from 'vitest'
import { HandClock } from '../../../testing/hand-clock.js'
import type { Command, Script } from '../port.js'
import { Calls } from './calls.js'
import { serverFailure, unanswered } from './failure.js'
import type { Wire } from './wire.js'

/** A server whose answers are given by hand, in the order of the commands. */
class HandWire implements Wire {
  readonly sent: Command[] = []
  readonly lates: (readonly [key: string | undefined, silent: boolean])[] = []
  readonly #answers: { resolve(answer: unknown): void; reject(error: unknown): void }[] = []

  send(args: Command): Promise<unknown> {
    this.sent.push(args)
    return new Promise((resolve, reject) => this.#answers.push({ resolve, reject }))
  }

  late(...said: readonly [key: string | undefined, silent: boolean]): void {
    this.lates.push(said)
  }

  failureOf(error: unknown): ReturnType<Wire['failureOf']> {
    return serverFailure(String(error), error) ?? unanswered(error)
  }

  async answer(index: number, answer: unknown): Promise<void> {
    this.#answers[index]?.resolve(answer)
    await settled()
  }

  async fail(index: number, error: string): Promise<void> {
    this.#answers[index]?.reject(error)
    await settled()
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const script: Script = { name: 'one', lua: 'return 1' }

function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.catch((error: unknown) => error)
}

function setUp(): { readonly wire: HandWire; readonly clock: HandClock; readonly calls: Calls; readonly turn: (ms: number) => Promise<void> } {
  const wire = new HandWire()
  const clock = new HandClock()
  const turn = async (ms: number): Promise<void> => {
    await clock.advance(ms)
    await settled()
  }
  return { wire, clock, calls: new Calls(wire, { clock, deadlineMs: 1_000 }), turn }
}

it('asks again what did nothing, and lets nobody of the same tag overtake', async () => {
  const { wire, calls, turn } = setUp()
  const answers = [calls.command(['A'], '{x}1'), calls.command(['B'], '{x}2')]
  await wire.fail(0, 'LOADING Redis is loading')
  answers.push(calls.command(['C'], '{x}3'), calls.command(['D'], '{y}'))
  expect(wire.sent.map(String)).toEqual(['A', 'B', 'D'])
  await wire.fail(1, 'LOADING Redis is loading')
  await turn(20)
  expect(wire.sent.map(String)).toEqual(['A', 'B', 'D', 'A', 'B', 'C'])
  for (const index of [2, 3, 4, 5]) await wire.answer(index, index)
  expect(await Promise.all(answers)).toEqual([3, 4, 5, 2])
})

it('sends the text of a script to a server that does not know it, behind nobody who came later', async () => {
  const { wire, calls, turn } = setUp()
  const first = calls.run(script, ['k'], [1])
  const second = calls.run(script, ['k'], [2])
  expect(wire.sent[0]).toEqual(['EVALSHA', 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db', 1, 'k', 1])
  await wire.fail(0, 'NOSCRIPT No matching script.')
  await wire.fail(1, 'NOSCRIPT No matching script.')
  await turn(0)
  expect(wire.sent.slice(2)).toEqual([['EVAL', 'return 1', 1, 'k', 1], ['EVAL', 'return 1', 1, 'k', 2]])
  await wire.answer(2, 1)
  await wire.answer(3, 2)
  expect([await first, await second]).toEqual([1, 2])
})

it('gives up at the deadline: unknown what was sent, and certain what was not', async () => {
  const { wire, calls, turn } = setUp()
  const sent = failureOf(calls.command(['SENT'], 'a'))
  const refused = failureOf(calls.command(['REFUSED'], 'b'))
  await wire.fail(1, 'READONLY no')
  for (const [index, waitMs] of [20, 40, 80, 160, 320].entries()) {
    await turn(waitMs)
    await wire.fail(index + 2, 'READONLY no')
  }
  await turn(380)
  expect(await sent).toMatchObject({ became: 'unknown', code: 'DEADLINE' })
  expect(await refused).toMatchObject({ became: 'again', code: 'READONLY' })
  expect(wire.lates).toEqual([['a', true]])
})

it('an answer that comes after the deadline changes nothing, and the next call works', async () => {
  const { wire, calls, turn } = setUp()
  const late = failureOf(calls.command(['A'], 'k', 100))
  await turn(100)
  expect(await late).toMatchObject({ became: 'unknown' })
  await wire.answer(0, 'late')
  const next = calls.command(['B'], 'k')
  await wire.answer(1, 7)
  expect(await next).toBe(7)
})

it('tells what is refused at once', async () => {
  const { wire, calls } = setUp()
  for (const [index, [text, became]] of ([['NOPERM no', 'refused'], ['OOM no', 'full'], ['MISCONF no', 'refused'], ['what?', 'unknown']] as const).entries()) {
    const failure = failureOf(calls.command(['A'], 'k'))
    await wire.fail(index, text)
    expect(await failure).toMatchObject({ became })
  }
})
