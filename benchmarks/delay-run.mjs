import { Child } from './child.mjs'
import { rounded } from './rounds.mjs'
import { scratch } from './workload.mjs'

const million = 1_000_000

/**
 * How punctual delays are with a million more pending, and what those cost. Measured once: it takes a million sends.
 * @param {'memory' | 'embedded'} kind
 * @param {{ progress: (text: string) => void, prefix?: string, isLong?: boolean }} how `prefix` goes before the names of the cases; `isLong`: idle CPU and 100,000 at once too
 * @returns {Promise<readonly import('./rounds.mjs').Case[]>}
 */
export async function delayCases(kind, { progress, prefix = '', isLong = true }) {
  const { path, remove } = scratch('delays')
  const child = new Child('delays')
  const says = kind === 'memory' ? 'memory engine, a million pending' : 'embedded engine at fsync, a million pending'
  /** @param {string} name @param {number} value @param {import('./rounds.mjs').Unit} unit @param {string} how */
  const figure = (name, value, unit, how) => ({ name: prefix + name, value: rounded(value), unit, says: `${says}: ${how}` })
  try {
    await child.call('open', kind, path)
    const before = await child.call('usedMb')
    progress(`${kind}: a million delays are sent`)
    const speed = await child.call('pile', million)
    progress(`${kind}: idle`)
    const idle = isLong ? await child.call('idle', 4_000) : Number.NaN
    const used = (await child.call('usedMb')) - before
    progress(`${kind}: 2,500 due in 5 s`)
    const few = await child.call('probe', { count: 2_500, leadMs: 1_500, ms: 5_000 })
    progress(isLong ? `${kind}: 100,000 due in 1 s` : '')
    const many = isLong ? await child.call('probe', { count: 100_000, leadMs: kind === 'memory' ? 3_000 : 12_000, ms: 1_000 }) : { early: 0 }
    const always = [
      figure('delay-lateness-p99', few.p99, 'ms', '2,500 more come due over 5 s; from their time to the handler'),
      figure('delay-lateness-p50', few.p50, 'ms', 'the same'),
      figure('delay-early', few.early + many.early, 'messages', 'that came before their time'),
      figure('delay-memory', used, 'MB', `what the process grew by, without ${kind === 'memory' ? 'the values, which are the sender\'s' : 'the file that the system caches'}`),
      figure('delay-send', speed, 'messages/s', 'sent in batches of 1,000, 4 under way'),
    ]
    if (!isLong) return always
    return [
      ...always,
      figure('delay-idle-cpu', idle, '%', 'of a core, while nothing is due'),
      figure('delay-burst-p99', many.p99, 'ms', '100,000 more come due in one second'),
      figure('delay-burst-most', many.most, 'ms', 'the same, the latest of them'),
    ]
  } finally {
    await child.end()
    remove()
  }
}
