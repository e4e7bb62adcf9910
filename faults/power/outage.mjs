import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Actor } from '../actors/actor.mjs'
import { checkHistory } from '../checker.mjs'
import { historyFile, historyFiles, readHistory } from '../history.mjs'
import { Recorder } from '../recorder.mjs'
import { Stage } from '../stage.mjs'
import { Disk } from './disk.mjs'
import { readLog } from './log.mjs'
import { shimmed } from './shim.mjs'

/** A boot id for processes under the shim: the host boots after a power loss, so who looks at a store later has another. */
export function writeBoot(folder) {
  const path = join(folder, 'boot')
  writeFileSync(path, '00000000-0000-0000-0000-000000000000\n')
  return path
}

/**
 * Plays a scene whose every process writes through the shim, for `seconds`, and kills everybody at once. `disturb(stage)` may do things meanwhile.
 * Answers `{ troubles }`.
 */
export async function playLogged({ row, adapter, run, scene, library, seconds, progress, control, disturb = (stage) => stage.pause(stage.leftMs) }) {
  for (const part of ['history', 'logs']) mkdirSync(join(run.folder, part), { recursive: true })
  const env = shimmed(library, { folder: adapter.path(run.folder), log: join(run.folder, 'disk.log'), boot: writeBoot(run.folder), control })
  const recorder = new Recorder(join(run.folder, 'history'), 'runner')
  const stage = new Stage({ row, adapter, run, seconds, recorder, progress })
  stage.add({ name: 'observer', role: 'observer', env })
  try {
    await stage.open({ ...scene, parts: scene.parts.map((part) => ({ ...part, env })) })
    await disturb(stage)
    // That somebody who is being started is killed too is no trouble.
    return { troubles: [...stage.troubles] }
  } catch (error) {
    return { troubles: [...stage.troubles, error.stack ?? String(error)] }
  } finally {
    await stage.clear()
    recorder.close()
  }
}

/** What was written and what was seen in a run, cut at any time of it. */
export class Outages {
  #adapter
  #records
  #first
  #lines

  constructor({ adapter, run }) {
    this.#adapter = adapter
    this.#records = readLog(join(run.folder, 'disk.log'))
    // Before there is a store there is nothing to lose.
    this.#first = this.#records.findIndex(({ type }) => type === 'named') + 1
    this.#lines = new Map(historyFiles(join(run.folder, 'history')).map((file) => [basename(file), linesOf(file)]))
  }

  /** How many writes and syncs there were. */
  get steps() {
    return this.#records.length
  }

  /**
   * One power loss at a time that `random` draws: makes a folder with what is left of the store, and with the history up to then. Answers
   * `{ folder, hasFile, unsynced }`. `options` as for `Disk.image`.
   */
  cut(folder, random, options) {
    const at = random.between(this.#first, this.#records.length)
    const disk = new Disk()
    for (const record of this.#records.slice(0, at)) disk.take(record)
    const image = disk.image(random, options)
    rmSync(folder, { recursive: true, force: true })
    for (const part of ['history', 'logs']) mkdirSync(join(folder, part), { recursive: true })
    mkdirSync(this.#adapter.path(folder))
    if (image) writeFileSync(this.#adapter.files(folder)[0], image)
    const until = this.#records[at]?.at ?? this.#records.at(-1).at + 1
    for (const [name, lines] of this.#lines) writeFileSync(join(folder, 'history', name), lines.filter((line) => line.at < until).map(({ text }) => `${text}\n`).join(''))
    const loss = { process: 'power', kind: 'fault', fault: 'power loss', number: 1_000_000, on: 'the host', loses: ['memory', 'os'] }
    const now = { at: Number(process.hrtime.bigint() / 1_000n), wall: Date.now() }
    const then = { at: Math.min(until, now.at), wall: now.wall - Math.max(0, Math.round((now.at - until) / 1_000)) }
    const events = [{ ...then, ...loss, phase: 'begin' }, { ...now, ...loss, phase: 'end', happened: true }]
    writeFileSync(historyFile(join(folder, 'history'), 'power'), events.map((event) => `${JSON.stringify(event)}\n`).join(''))
    return { folder, hasFile: image !== undefined, unsynced: disk.unsynced }
  }
}

/** Has a process look at the store in a folder: `{ failed?, died?, drain? }`. `options` are a survivor's. */
export async function look(run, folder, options) {
  let how
  const survivor = new Actor({ name: 'survivor', role: 'survivor', options, run: { ...run, folder }, onExit: (_, died) => (how = died) })
  try {
    await survivor.start()
    const seen = await survivor.call('look')
    await survivor.end()
    return seen
  } catch (error) {
    if (survivor.isAlive) await survivor.kill()
    return { died: how ?? error.message }
  }
}

/** The checker on the history in a folder, with how many were sent. */
export function checkFolder(folder, options) {
  let attempts = 0
  function* counted(events) {
    for (const event of events) {
      if (event.kind === 'invoke' && (event.op === 'send' || event.op === 'prepare')) attempts += 1
      yield event
    }
  }
  const found = checkHistory(counted(readHistory(historyFiles(join(folder, 'history')))), options)
  return { ...found, attempts }
}

/** Whole lines: the last one of a killed process may have no end. */
function linesOf(file) {
  const lines = readFileSync(file, 'utf8').split('\n')
  lines.pop()
  return lines.map((text) => ({ text, at: Number(/"at":([\d.]+)/.exec(text)[1]) }))
}
