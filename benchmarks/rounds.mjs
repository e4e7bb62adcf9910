import { performance } from 'node:perf_hooks'

/**
 * @typedef {object} Contender One way to do what is asked.
 * @property {string} name
 * @property {'messages/s' | 'requests/s' | 'ms' | 'MB' | '%'} unit
 * @property {string} [against] the contender that it is divided by
 * @property {string} [says] its durability and settings, in a few words
 * @property {() => Promise<number>} round one measurement, in `unit`
 * @property {() => Promise<void>} [close]
 *
 * @typedef {object} Case
 * @property {string} name
 * @property {number} value the median of the rounds
 * @property {string} unit
 * @property {string} [against]
 * @property {number} [ratio] the median of the rounds' ratios
 * @property {string} [says]
 * @property {number} spread (most - least) / median
 */

/** Above it the machine was busy with other things. */
const noisySpread = 0.35

/**
 * Runs all contenders in turn, round after round, so that a machine that slows down slows all of them; the first round warms up and is not counted.
 * @param {readonly Contender[]} contenders
 * @param {{ rounds: number, progress: (text: string) => void }} options
 * @returns {Promise<readonly Case[]>}
 */
export async function runRounds(contenders, { rounds, progress }) {
  const values = new Map(contenders.map(({ name }) => [name, /** @type {number[]} */ ([])]))
  const start = performance.now()
  for (let round = 0; round <= rounds; round += 1) {
    for (const { name, round: measure } of contenders) {
      progress(`round ${round} of ${rounds}: ${name} (${((performance.now() - start) / 1000).toFixed(0)} s)`)
      const value = await measure()
      if (round > 0) values.get(name)?.push(value)
    }
  }
  for (const { close } of contenders) await close?.()
  return contenders.map((contender) => summary(contender, values))
}

/** @param {readonly Case[]} cases */
export function noisy(cases) {
  return cases.filter(({ spread }) => spread > noisySpread).map(({ name, spread }) => `${name} ±${(spread * 50).toFixed(0)} %`)
}

/** @param {readonly number[]} values */
export function median(values) {
  return quantile(values, 0.5)
}

/** @param {readonly number[]} values @param {number} at between 0 and 1 */
export function quantile(values, at) {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))] ?? Number.NaN
}

/** @param {Contender} contender @param {ReadonlyMap<string, readonly number[]>} values @returns {Case} */
function summary({ name, unit, against, says }, values) {
  const own = values.get(name) ?? []
  const others = against === undefined ? undefined : values.get(against)
  if (against !== undefined && !others) throw new Error(`${name} is against ${against}, which is not there`)
  return {
    name,
    value: rounded(median(own)),
    unit,
    ...(others && { against, ratio: rounded(median(own.map((value, round) => value / (others[round] ?? Number.NaN)))) }),
    ...(says !== undefined && { says }),
    spread: rounded((Math.max(...own) - Math.min(...own)) / median(own)),
  }
}

/** Three digits that count. @param {number} value */
function rounded(value) {
  return Number(value.toPrecision(value >= 1000 ? Math.ceil(Math.log10(value)) : 3))
}
