import { Child } from './child.mjs'
import { rounded } from './rounds.mjs'

/**
 * How punctual delays are on Kafka with many more pending, what those cost, and how long an instance that starts needs to know them. Measured once.
 * @param {readonly string[]} brokers @param {number} pending @param {(text: string) => void} progress
 * @returns {Promise<readonly import('./rounds.mjs').Case[]>}
 */
export async function kafkaDelays(brokers, pending, progress) {
  const where = brokers.join(',')
  const [first, second] = [new Child('delays'), new Child('delays')]
  /** @param {string} name @param {number} value @param {import('./rounds.mjs').Unit} unit @param {string} how */
  const figure = (name, value, unit, how) => ({ name, value: rounded(value), unit, says: `${pending.toLocaleString('en')} pending: ${how}` })
  try {
    await first.call('open', 'kafka', where)
    const before = await first.call('usedMb')
    const reachable = await first.call('reachableBytes')
    progress(`${pending.toLocaleString('en')} delays are sent`)
    const speed = await first.call('pile', pending)
    const used = (await first.call('usedMb')) - before
    const each = ((await first.call('reachableBytes')) - reachable) / pending
    progress('2,500 due in 5 s')
    const { p50, p99, early } = await first.call('probe', { count: 2_500, leadMs: 5_000, ms: 5_000 })
    progress('a second instance starts')
    const fresh = await second.call('usedMb')
    const opened = await second.call('know', where)
    const more = (await second.call('usedMb')) - fresh
    await first.call('close')
    await second.call('close')
    return [
      figure('delay-lateness-p99', p99, 'ms', '2,500 more come due over 5 s; from their time to the handler'),
      figure('delay-lateness-p50', p50, 'ms', 'the same'),
      figure('delay-early', early, 'messages', 'that came before their time'),
      figure('delay-send', speed, 'messages/s', 'sent in batches of 1,000, 4 under way'),
      figure('delay-memory', used, 'MB', 'what the process grew by that sent them'),
      figure('delay-memory-each', each, 'bytes', 'of that what is in use: JavaScript objects and buffers, for each'),
      figure('delay-open', opened, 'ms', 'an instance that starts: until it knows them all'),
      figure('delay-open-memory', more, 'MB', 'what it grew by'),
    ]
  } finally {
    await Promise.all([first.end(), second.end()])
  }
}
