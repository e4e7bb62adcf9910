import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { everyday } from './rows/scenes.mjs'
import { runRow } from './run.mjs'

const calm = {
  id: 'calm',
  title: 'nothing happens',
  scene: everyday({ consumers: 1 }),
  faults: [],
  checks: ['I1', 'I2', 'I3', 'I4', 'I5', 'I10', 'I11', 'I15'],
  disturb: (stage) => stage.pause(stage.leftMs),
}

const embedded = new URL('./engines/embedded.mjs', import.meta.url).href
const forgetful = new URL('./engines/forgetful.harness.mjs', import.meta.url).href

function run(engine, row = calm) {
  const into = mkdtempSync(join(tmpdir(), 'faults-'))
  onTestFinished(() => rmSync(into, { recursive: true }))
  return runRow(row, { engine, seed: 1, seconds: 0.7, into })
}

it('a run in which nothing happens breaks nothing and leaves nothing', { timeout: 60_000 }, async () => {
  const result = await run(embedded)
  expect(result).toMatchObject({ lost: 0, duplicated: 0, found: [], violations: 0, troubles: [] })
  expect(result.acknowledged).toBe(result.attempts)
  expect(result.folder).toBe(undefined)
})

it('an engine that forgets one message in fifty makes the run fail, which keeps its history and names its seed', { timeout: 60_000 }, async () => {
  const { lost, violations, found, folder, seed } = await run(forgetful)
  expect(lost).toBeGreaterThan(0)
  expect(violations).toBeGreaterThan(0)
  expect(new Set(found.map(({ invariant }) => invariant))).toEqual(new Set(['I1']))
  expect(seed).toBe(1)
  expect(existsSync(join(folder, 'history', 'runner.jsonl'))).toBe(true)
})

it('a run in which the fault never happened, or that says nothing about what it should show, has failed', { timeout: 60_000 }, async () => {
  const { troubles, folder } = await run(embedded, { ...calm, faults: ['kill'], checks: ['I9'] })
  expect(troubles).toEqual(['the history says nothing about I9', 'the fault kill never happened'])
  expect(folder).toBeDefined()
})
