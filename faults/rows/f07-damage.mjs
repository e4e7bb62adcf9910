import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beyond, damage, promised } from '../damage/damages.mjs'
import { Watcher } from '../damage/watcher.mjs'
import { Random } from '../random.mjs'
import { noFiles } from './servers.mjs'

const fill = new URL('../damage/fill.mjs', import.meta.url)
const messages = 300

/**
 * A file of a store is damaged: bits flip, a sector is lost, its tail is torn off, at random places, in a store that was closed and in one whose
 * process was killed. Another process then does all that users do and what it sees, step by step, is compared with what it sees in the whole store.
 *
 * detected: it ends with STORE_DAMAGED or STORE_FOREIGN, and all that was seen before was right. harmless: everything was right, for nothing lived where the
 * damage is. died: the process ended by a signal, as LMDB does on a page that cannot be; nobody is deceived by that, and it is told as what it is. Everything else is
 * a violation of I14: silent (something wrong was seen), unnamed (an error that does not say what is the matter), hung. Damage that no reader of LMDB can see (a whole page in
 * another's place) is counted apart.
 */
export const damagedStore = {
  id: 'F7',
  title: 'files of the store are damaged',
  seconds: 30,
  cannot: noFiles,
  run: async ({ row, run, seconds, progress }) => {
    const random = new Random(run.seed, row.id)
    const ends = performance.now() + seconds * 1_000
    const total = { counts: {}, beyond: {}, found: [] }
    let stores = 0
    for (const how of ['closed', 'killed']) {
      const until = how === 'closed' ? ends - seconds * 500 : ends
      stores += 1
      const whole = await filled(join(run.folder, how), run.seed + stores, how)
      await damageOften({ run, whole, how, random, total, progress, lasts: () => performance.now() < until })
    }
    const sum = (counts) => Object.values(counts).reduce((all, each) => all + each, 0)
    return {
      attempts: stores * messages, acknowledged: stores * messages, lost: null, duplicated: 0, violations: total.found.length, faults: sum(total.counts), happened: { damaged: sum(total.counts) },
      found: total.found, troubles: [], details: total.counts, beyond: total.beyond,
      notes: [`of these damages: ${listed(total.counts)}`, `beyond what can be seen, a whole page in another's place: ${listed(total.beyond)}`],
    }
  },
}

/** The bytes of a store with some of everything. */
async function filled(path, seed, how) {
  const child = fork(fill, [JSON.stringify({ path, seed, messages })])
  await once(child, 'message')
  if (how === 'killed') child.kill('SIGKILL')
  else child.send('close')
  await once(child, 'close')
  return readFileSync(join(path, 'store.mdb'))
}

async function damageOften({ run, whole, how, random, total, progress, lasts }) {
  const watcher = new Watcher(join(run.folder, 'logs', 'watcher.log'))
  try {
    const truth = await watcher.look(put(run, whole))
    do {
      const isPromised = random.chance(0.9)
      const kind = random.pick(isPromised ? promised : beyond)
      const { bytes, what } = damage(kind, whole, random)
      const seen = await watcher.look(put(run, bytes))
      const is = verdictOn(seen, truth)
      const counts = isPromised ? total.counts : total.beyond
      counts[is] = (counts[is] ?? 0) + 1
      progress(`${total.found.length} violations, ${listed(total.counts)}`)
      if (!isPromised || isFine(is)) continue
      const kept = join(run.folder, `wrong-${total.found.length}.mdb`)
      writeFileSync(kept, bytes)
      total.found.push({ invariant: 'I14', what: `${kind}, ${what} of the store that was ${how}: ${is}: ${seen.error?.code} ${seen.error?.message} (${kept})`, events: [{ wrong: wrongSteps(seen, truth) }] })
    } while (lasts())
  } finally {
    watcher.end()
  }
}

function put(run, bytes) {
  const path = join(run.folder, 'store')
  rmSync(path, { recursive: true, force: true })
  mkdirSync(path)
  writeFileSync(join(path, 'store.mdb'), bytes)
  return path
}

function verdictOn(seen, truth) {
  if (wrongSteps(seen, truth).length > 0) return 'silent'
  if (seen.died !== undefined) return seen.died === 'hung' ? 'hung' : `died by ${seen.died}`
  if (seen.error === undefined) return 'harmless'
  return ['STORE_DAMAGED', 'STORE_FOREIGN'].includes(seen.error.code) ? 'detected' : 'unnamed'
}

function isFine(is) {
  return is === 'detected' || is === 'harmless' || is.startsWith('died by SIG')
}

/** What was told, and was not so. */
function wrongSteps(seen, truth) {
  return [...seen.steps].filter(([step, sum]) => truth.steps.get(step) !== sum).map(([step]) => step)
}

function listed(counts) {
  return Object.entries(counts).map(([what, count]) => `${count} ${what}`).join(', ') || 'none'
}
