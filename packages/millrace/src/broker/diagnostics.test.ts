import { channel, tracingChannel } from 'node:diagnostics_channel'
import { expect, test } from 'vitest'
import { memory } from '../engines/memory/index.js'
import { chaosEngine, HandClock, testKit } from '../testing/index.js'
import type { CheckOperation, ErrorReport, ProcessOperation, SendOperation, SettleOperation } from './diagnostics.js'
import { fixed } from './retry-policy.js'
import { topic } from './topic-contract.js'

const plain = topic<number>('plain', { partitions: 1 })

/** Writes down how operations of a name end. */
function heard<Operation extends object>(name: string, line: (operation: Operation, error: unknown) => string) {
  const lines: string[] = []
  const tracing = tracingChannel<unknown, Operation>(`millrace:${name}`)
  const on = {
    start: () => undefined,
    end: () => undefined,
    asyncStart: () => undefined,
    asyncEnd: (operation: Operation & { error?: unknown }) => void lines.push(line(operation, operation.error)),
    error: () => undefined,
  }
  tracing.subscribe(on)
  return { lines, end: () => tracing.unsubscribe(on) }
}

test('every operation is told once, in one place, with how it ended', async () => {
  const sends = heard<SendOperation>('send', ({ drafts, answers }) => `${drafts.length} drafts, ${answers?.filter((answer) => 'ok' in answer).length ?? 0} stored`)
  const runs = heard<ProcessOperation>('process', ({ group, deliveries, attempt }, error) => `${group} ${deliveries.length}.${attempt} ${error instanceof Error ? error.message : 'done'}`)
  const settles = heard<SettleOperation>('settle', ({ verdicts, outcomes }) => verdicts.map(({ is }, index) => `${is} ${outcomes?.[index] ?? '?'}`).join(' '))
  const checks = heard<CheckOperation>('check', ({ held, answer }) => `${held.message.id} ${answer ?? 'threw'}`)
  const kit = testKit()
  await kit.mill.topics.ensure(plain)
  await kit.mill.answers('p', () => 'rollback')
  await Promise.all([kit.mill.send(plain, 1), kit.mill.send(plain, 2)])
  kit.mill.consume(plain, 'g', (_, { attempt }) => {
    if (attempt === 1) throw new Error('once')
  }, { retry: fixed({ attempts: 2, everyMs: 10 }), order: 'none' })
  await kit.until(() => runs.lines.length === 2)
  await kit.clock.advance(10)
  await kit.idle()
  await kit.mill.prepare(plain, 3, { producerGroup: 'p', id: 'x' })
  await kit.clock.advance(7_000)
  await kit.close()
  for (const { end } of [sends, runs, settles, checks]) end()
  expect(sends.lines).toEqual(['2 drafts, 2 stored', '1 drafts, 1 stored'])
  expect(runs.lines).toEqual(['g 1.1 once', 'g 1.1 once', 'g 1.2 done', 'g 1.2 done'])
  expect(settles.lines.join(' ')).toBe('done settled done settled')
  expect(checks.lines).toEqual(['x rollback'])
})

test('troubles that work goes on after are told, whoever else hears of them', async () => {
  const clock = new HandClock()
  const chaos = chaosEngine(memory({ clock }), { clock }).trouble('lease', { is: 'fail' })
  const kit = testKit({ clock, engine: chaos })
  const errors: unknown[] = []
  const hear = (report: unknown): void => void errors.push((report as ErrorReport).error) // the channel's own type
  channel('millrace:error').subscribe(hear)
  await kit.mill.topics.ensure(plain)
  kit.mill.consume(plain, 'g', () => undefined, { onError: () => undefined })
  await kit.clock.advance(1_000)
  channel('millrace:error').unsubscribe(hear)
  expect(errors).toMatchObject([{ code: 'ENGINE_FAILED' }])
  expect(kit.troubles).toEqual([])
  await kit.close()
})
