import { Child } from './child.mjs'
import { usedBytes } from './redis-place.mjs'
import { rounded } from './rounds.mjs'

/**
 * How punctual delays are on Redis with many more pending, and what those cost. Measured once.
 * @param {string} url @param {number} pending @param {(text: string) => void} progress
 * @returns {Promise<readonly import('./rounds.mjs').Case[]>}
 */
export async function redisDelays(url, pending, progress) {
  const child = new Child('delays')
  /** @param {string} name @param {number} value @param {import('./rounds.mjs').Unit} unit @param {string} how */
  const figure = (name, value, unit, how) => ({ name, value: rounded(value), unit, says: `${pending.toLocaleString('en')} pending: ${how}` })
  try {
    await child.call('open', 'redis', url)
    const [before, beforeServer] = [await child.call('usedMb'), await usedBytes(url)]
    progress(`${pending.toLocaleString('en')} delays are sent`)
    const speed = await child.call('pile', pending)
    const [used, usedServer] = [(await child.call('usedMb')) - before, (await usedBytes(url)) - beforeServer]
    progress('2,500 due in 5 s')
    const { p50, p99, early } = await child.call('probe', { count: 2_500, leadMs: 2_000, ms: 5_000 })
    await child.call('close')
    return [
      figure('delay-lateness-p99', p99, 'ms', '2,500 more come due over 5 s; from their time to the handler'),
      figure('delay-lateness-p50', p50, 'ms', 'the same'),
      figure('delay-early', early, 'messages', 'that came before their time'),
      figure('delay-send', speed, 'messages/s', 'sent in batches of 1,000, 4 under way'),
      figure('delay-memory', used, 'MB', 'what the process grew by that sent them'),
      figure('delay-bytes', usedServer / pending, 'bytes', 'in Redis for each'),
    ]
  } finally {
    await child.end()
  }
}
