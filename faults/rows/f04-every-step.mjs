import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Actor } from '../actors/actor.mjs'
import { checkFolder, look, writeBoot } from '../power/outage.mjs'
import { buildShim, Control, noShim, phases, shimmed, steps } from '../power/shim.mjs'
import { Random } from '../random.mjs'
import { Recorder } from '../recorder.mjs'
import { noFiles } from './servers.mjs'

const topic = 'orders'
const partitions = 3
const [leaseMs, retryMs, max] = [1_000, [5, 40], 16]

/** Some of everything, in one process and soon over. */
const scene = {
  topics: [{ name: topic, partitions }],
  groups: [{ topic, group: 'a' }, { topic, group: 'b' }],
  parts: [
    { name: 'soloist', role: 'producer', options: { topic, partitions, limit: 24, batch: 6, pauseMs: 4, delayed: 0.15, delayMs: [5, 60], prepared: 0.2, left: 0, askMs: 100 } },
    { name: 'a-1', role: 'consumer', options: { topic, group: 'a', leaseMs, retryMs, max, workMs: 2, retry: 0.1, dead: 0.1, back: 0.05 } },
    { name: 'b-1', role: 'consumer', options: { topic, group: 'b', leaseMs, retryMs, max, workMs: 2, retry: 0.1, park: true } },
    { name: 'operator', role: 'operator', options: { topic, groups: ['a', 'b'], everyMs: 40 } },
  ],
}

/**
 * A process is killed at each step that a store takes: every write of a commit, before it, in the middle of its bytes and after it, every sync, every write of
 * the head that makes a commit count, from the making of the file on. The shim of F6 counts the steps and kills at the one it is told; so the steps are named from
 * outside, in the code that ships, and none is forgotten. Then another process opens the store, goes on, and all is checked.
 *
 * The steps of a run are visited in a seeded order, as many as time allows.
 */
export const everyStep = {
  id: 'F4',
  title: 'a process is killed at each step of a commit',
  seconds: 60,
  cannot: (adapter) => noFiles(adapter) ?? noShim(),
  run: async ({ row, adapter, run, seconds, progress }) => {
    const library = buildShim(run.folder)
    const total = { attempts: 0, acknowledged: 0, lost: 0, duplicated: 0, faults: 0, happened: {}, found: [], troubles: [] }
    const solo = new Solo({ adapter, run, library })
    const count = await solo.countSteps()
    let left = Array.from({ length: count * phases.length }, (_, index) => ({ step: 1 + Math.floor(index / phases.length), phase: index % phases.length }))
    const random = new Random(run.seed, row.id)
    let visits = left.length
    const began = performance.now()
    while (left.length > 0 && performance.now() - began < seconds * 1_000) {
      const [{ step, phase }] = left.splice(random.between(0, left.length - 1), 1)
      const folder = join(run.folder, `step-${step}-${phases[phase]}`)
      const { killedIn, seen, trouble } = await solo.killAt(folder, step, phase)
      if (trouble) total.troubles.push(trouble)
      if (killedIn === undefined) {
        // A run that was shorter than the one in which the steps were counted: looks and beats come by the clock.
        const beyond = (each) => each.step >= step
        visits -= 1 + left.filter(beyond).length
        left = left.filter((each) => !beyond(each))
        continue
      }
      judge(total, { folder, seen, name: `${phases[phase]} ${killedIn}` })
      progress(`${total.faults} of ${visits} steps`)
    }
    return { ...total, violations: total.found.length, details: { visits, visited: total.faults }, notes: [`${total.faults} of ${visits} visited: ${Math.ceil(visits / phases.length)} steps that every run has, each before, half and after`] }
  },
}

function judge(total, { folder, seen, name }) {
  const found = checkFolder(folder, { graceMs: leaseMs + 2_000 })
  for (const sum of ['attempts', 'acknowledged', 'duplicated']) total[sum] += found[sum]
  total.lost += found.lost ?? found.acknowledged
  total.faults += 1
  total.happened[name] = (total.happened[name] ?? 0) + 1
  const isNew = found.acknowledged === 0 && seen.failed?.code === 'EMPTY'
  const wrong = seen.died ?? seen.failed?.message
  if (wrong !== undefined && !isNew) total.found.push({ invariant: 'I13', what: `a store did not come up: ${wrong} (${folder})`, events: [] })
  total.found.push(...found.violations.map((violation) => ({ ...violation, what: `${violation.what} (${folder})` })))
  if (wrong === undefined && found.violations.length === 0) rmSync(folder, { recursive: true, force: true })
}

/** Runs the scene in a process under the shim. */
class Solo {
  #adapter
  #run
  #library

  constructor({ adapter, run, library }) {
    this.#adapter = adapter
    this.#run = run
    this.#library = library
  }

  /** How many steps a run takes that nobody disturbs. */
  async countSteps() {
    const folder = join(this.#run.folder, 'whole')
    const { control, trouble } = await this.#play(folder, {})
    if (trouble) throw new Error(trouble)
    return control.steps
  }

  /** `{ killedIn, seen }`: in which kind of step it was killed, and what a survivor saw. Neither, when the run ended before. */
  async killAt(folder, step, phase) {
    const { control, trouble } = await this.#play(folder, { killAt: step, killPhase: phase })
    if (control.killedAt === 0) return { trouble }
    const recorder = new Recorder(join(folder, 'history'), 'runner')
    const fault = { fault: 'kill', number: 1, on: 'soloist', loses: ['memory'] }
    recorder.record('fault', { ...fault, phase: 'begin' })
    recorder.record('fault', { ...fault, phase: 'end', happened: true })
    recorder.close()
    const role = (name) => scene.parts.filter((part) => part.role === name)
    const seen = await look(this.#run, folder, { topics: [topic], consumers: role('consumer'), producers: role('producer'), withinMs: 20_000 })
    return { killedIn: steps[control.killedIn], seen }
  }

  async #play(folder, settings) {
    for (const part of ['history', 'logs']) mkdirSync(join(folder, part), { recursive: true })
    const control = new Control(join(folder, 'control'), settings)
    // Another boot id than the survivor's: nobody waits until a lease has run out, which is what F2 is about.
    const env = shimmed(this.#library, { folder: this.#adapter.path(folder), control, boot: writeBoot(folder) })
    const actor = new Actor({ name: 'soloist', role: 'soloist', options: { scene, withinMs: 20_000 }, run: { ...this.#run, folder }, env, onExit: () => undefined })
    let trouble
    try {
      await actor.start()
      await actor.call('play')
      await actor.end()
    } catch (error) {
      if (control.read().killedAt === 0) trouble = `${folder}: ${error.message}`
      await actor.exited
    }
    const counts = control.read()
    control.close()
    return { control: counts, trouble }
  }
}
