import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Calls } from './calls.mjs'
import { checkHistory } from './checker.mjs'
import { historyFiles, readHistory } from './history.mjs'
import { Recorder } from './recorder.mjs'
import { Stage } from './stage.mjs'
import { Waits } from './waits.mjs'

const drainMs = 30_000
/** For starting, ending and reading the store, and for what a row does beyond its time; a run that takes longer hangs. */
const spareMs = 60_000
/** After a lease a member is taken for dead, at its next look; the rest is for a machine that is busy with other things. */
const takeOverMs = 2_000

/**
 * Runs one row on an engine and checks its history. `engine` is the URL of its adapter, `choices` what may be chosen about it, `into` the folder for what the run leaves: it is removed
 * when all went well, else `folder` says where it is. Answers `{ id, attempts, acknowledged, lost, duplicated, violations, faults, … }`.
 */
export async function runRow(asked, { engine, choices = {}, seed, seconds = asked.seconds ?? 10, into, progress = () => undefined }) {
  const { adapter } = await import(engine)
  const row = adapter.plays?.(asked, choices) ?? asked
  const why = adapter.missing?.(choices) ?? row.cannot?.(adapter)
  if (why !== undefined) return { id: row.id, skipped: why }
  const of = adapter.rival ? [adapter.rival.name, choices.client] : []
  const folder = join(into, [...of, row.id, seed, process.pid].filter((part) => part !== undefined).join('-'))
  rmSync(folder, { recursive: true, force: true })
  for (const part of ['history', 'logs']) mkdirSync(join(folder, part), { recursive: true })
  const began = performance.now()
  progress('starting')
  const serve = (more) => adapter.serve?.({ folder, ...choices, ...row.server?.(folder), isProxied: row.isProxied ?? false, ...more })
  const server = row.run ? undefined : await serve()
  let report
  try {
    const settings = { ...row.settings, ...server?.settings }
    report = await (row.run ?? staged)({ row, adapter, server, serve, run: { folder, engine, seed, settings }, seconds, progress })
  } finally {
    await server?.stop()
  }
  const result = { id: row.id, ...report, seconds: Math.round((performance.now() - began) / 100) / 10 }
  const isGood = report.violations === 0 && report.troubles.length === 0
  if (!isGood) return { ...result, seed, folder }
  rmSync(folder, { recursive: true, force: true })
  return result
}

/** Plays a row on its stage in the folder of `run`, and judges it: all but what `runRow` adds. */
export async function staged({ row, adapter, server, run, seconds, progress }) {
  const recorder = new Recorder(join(run.folder, 'history'), 'runner')
  const stage = new Stage({ row, adapter, server, run, seconds, recorder, progress })
  const drain = await play(row, stage)
  recorder.close()
  progress('checking the history')
  return { ...judge(row, stage, run.folder), drainMs: drain?.elapsedMs ?? null }
}

async function play(row, stage) {
  const restMs = row.drainMs ?? drainMs
  let drain
  try {
    const playing = (async () => {
      await stage.open(row.scene)
      await row.disturb(stage)
      stage.progress('coming to rest')
      drain = await stage.close(row.scene.topics.map(({ name }) => name), restMs)
    })()
    await stage.ended('the run', () => playing, stage.seconds * 1_000 + restMs + spareMs)
  } finally {
    await stage.clear()
  }
  return drain
}

/** What the checker found, and what the run should have shown and has not. */
function judge(row, stage, folder) {
  let attempts = 0
  const calls = new Calls()
  const waits = new Waits()
  function* counted(events) {
    for (const event of events) {
      if (event.kind === 'invoke' && (event.op === 'send' || event.op === 'prepare')) attempts += 1
      calls.take(event)
      waits.take(event)
      yield event
    }
  }
  const troubles = [...stage.troubles]
  let found
  try {
    found = checkHistory(counted(readHistory(historyFiles(join(folder, 'history')))), { graceMs: (row.leaseMs ?? 2_000) + (stage.adapter.takeOverMs ?? takeOverMs), ...row.options, ...stage.options })
  } catch (error) {
    return { attempts, acknowledged: 0, lost: null, duplicated: 0, violations: 0, faults: 0, troubles: [...troubles, `the history cannot be checked: ${error.message}`] }
  }
  const { acknowledged, lost, duplicated, violations, counts, checked, faults } = found
  for (const invariant of row.checks) if (!checked.includes(invariant)) troubles.push(`the history says nothing about ${invariant}`)
  const expected = typeof row.faults === 'function' ? row.faults(stage) : row.faults
  for (const fault of expected) if (!(faults[fault] > 0)) troubles.push(`the fault ${fault} never happened`)
  troubles.push(...(row.expects?.(found, stage) ?? []))
  if (calls.longestMs > (row.hangMs ?? Infinity)) troubles.push(`a call took ${calls.longestMs} ms, allowed are ${row.hangMs}`)
  const total = (numbers) => Object.values(numbers).reduce((sum, each) => sum + each, 0)
  const own = Object.entries(faults).filter(([name]) => expected.includes(name)).map(([, count]) => count)
  return { attempts, acknowledged, lost, duplicated, longestMs: calls.longestMs, ...waits.found(), violations: total(counts), faults: total(own), happened: faults, checked, counts, found: violations, troubles, notes: stage.notes }
}
