import { join } from 'node:path'
import { Random } from '../random.mjs'
import { checkFolder, look, Outages, playLogged } from './outage.mjs'

const topic = 'orders'
const partitions = 4

/** Small, for a log of all writes is long, and slow enough that the consumers keep up on a busy machine. */
function scene(more = {}) {
  const [leaseMs, retryMs] = [2_000, [20, 200]]
  const producer = (number) => ({ name: `producer-${number}`, role: 'producer', ...more, options: { topic, partitions, pauseMs: 30, delayMs: [20, 300], askMs: 200 } })
  return {
    topics: [{ name: topic, partitions }],
    groups: [{ topic, group: 'a' }, { topic, group: 'b' }],
    parts: [
      producer(1),
      producer(2),
      { name: 'a-1', role: 'consumer', ...more, options: { topic, group: 'a', leaseMs, retryMs } },
      { name: 'b-1', role: 'consumer', ...more, options: { topic, group: 'b', leaseMs, retryMs, park: true } },
      { name: 'operator', role: 'operator', ...more, options: { topic, groups: ['a', 'b'] } },
    ],
  }
}

/**
 * A workload at one durability, and after it losses of power at times that are drawn: at least `least`, and more while `lasts()`. `more` goes to every part of
 * the scene; `control`, `disturb` as in `playLogged`. Answers sums over all losses of power: each is a run of its own, that ends where it is cut.
 */
export async function campaign({ row, adapter, run, library, progress, durability, seconds, least, lasts, more, control, disturb }) {
  const own = { ...run, folder: join(run.folder, durability), settings: { durability } }
  const played = scene(more)
  const total = { attempts: 0, acknowledged: 0, lost: 0, duplicated: 0, found: [], troubles: [], images: 0, counts: {} }
  progress(`a workload at ${durability}`)
  const { troubles } = await playLogged({ row, adapter, run: own, scene: played, library, seconds: Math.max(1, seconds), progress, control, disturb })
  total.troubles.push(...troubles)
  if (troubles.length > 0) return total
  const outages = new Outages({ adapter, run: own })
  const random = new Random(run.seed, row.id, durability)
  const role = (name) => played.parts.filter((part) => part.role === name)
  const everybody = { consumers: role('consumer'), producers: role('producer'), withinMs: 20_000 }
  while (total.images < least || lasts()) {
    // Most are only looked at, which is soon done; in some, life goes on.
    const isDeep = durability === 'fsync' && total.images % 6 === 0
    const folder = join(own.folder, `image-${total.images}`)
    const cut = outages.cut(folder, random, { keepsName: durability === 'os' })
    const seen = await look(own, folder, { topics: [topic], ...(isDeep ? everybody : {}) })
    total.images += 1
    progress(`${total.images} losses of power at ${durability}`)
    judge(total, { folder, ...cut, durability, seen })
  }
  return total
}

function judge(total, { folder, hasFile, unsynced, durability, seen }) {
  // Where nothing goes on, what is due stays held.
  const found = checkFolder(folder, { graceMs: 4_000, ...(seen.drain ? {} : { lateMs: Infinity }) })
  const count = (what, by = 1) => (total.counts[what] = (total.counts[what] ?? 0) + by)
  total.attempts += found.attempts
  total.acknowledged += found.acknowledged
  total.duplicated += found.duplicated
  total.lost += found.lost ?? found.acknowledged
  count('sectors not synced', unsynced)
  if (!hasFile) count('without a file')
  if (seen.drain) count('went on and drained')
  const wrong = seen.died ?? seen.failed?.code
  if (wrong !== undefined) count(seen.died ? `died by ${wrong}` : wrong)
  if (durability !== 'fsync') return
  total.found.push(...found.violations.map((violation) => ({ ...violation, what: `${violation.what} (${folder})` })))
  const isNew = found.acknowledged === 0 && seen.failed?.code === 'EMPTY'
  if (wrong !== undefined && !isNew) total.found.push({ invariant: 'I13', what: `a store did not come up after a loss of power: ${wrong} ${seen.failed?.message ?? ''} (${folder})`, events: [] })
}
