import { performance } from 'node:perf_hooks'

/**
 * @typedef {'messages/s' | 'deliveries/s' | 'requests/s' | 'syncs/s' | 'ms' | 'µs' | 's' | 'MB' | 'bytes' | 'commands/s' | '%' | 'messages' | 'least/most'} Unit
 *
 * @typedef {object} Figure What one round of a contender finds out.
 * @property {string} name
 * @property {Unit} unit
 * @property {string} [against] who it is divided by
 * @property {string} [by] the name of that one's figure, where it is another than `against`
 * @property {readonly { against: string, by: string }[]} [besides] others that it is divided by: a case of the same name for each
 * @property {string} [says] its durability and settings, in a few words
 *
 * @typedef {Figure & { also?: readonly Figure[], round: () => Promise<number | readonly number[]>, close?: () => Promise<void> }} Contender
 * One way to do what is asked. `round` measures once, in `unit`; with `also` it answers a number for itself and one for each of those, in their order.
 *
 * @typedef {object} Case
 * @property {string} name
 * @property {number} value the median of the rounds
 * @property {string} unit
 * @property {string} [against]
 * @property {number} [ratio] the median of the rounds' ratios
 * @property {string} [by]
 * @property {string} [says]
 * @property {number} [spread] (most - least) / median; absent for what was measured once
 * @property {string} [asked] the target of it
 * @property {string} [missedBy]
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
  const figures = contenders.flatMap((contender) => [contender, ...(contender.also ?? [])])
  const values = new Map(figures.map(({ name }) => [name, /** @type {number[]} */ ([])]))
  const start = performance.now()
  for (let round = 0; round <= rounds; round += 1) {
    // Another one begins each time: who comes first finds another machine than who comes last.
    const first = round % contenders.length
    for (const { name, also = [], round: measure } of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      progress(`round ${round} of ${rounds}: ${name} (${((performance.now() - start) / 1000).toFixed(0)} s)`)
      const found = [await measure()].flat()
      if (round > 0) [name, ...also.map((each) => each.name)].forEach((each, index) => values.get(each)?.push(found[index] ?? Number.NaN))
    }
  }
  for (const { close } of contenders) await close?.()
  return figures.flatMap((figure) => [summary(figure, values), ...(figure.besides ?? []).filter(({ by }) => values.has(by)).map((beside) => summary({ ...figure, ...beside, says: undefined }, values))])
}

/** BENCH_ONLY names those that run. @param {string} name */
export function isChosen(name) {
  return process.env.BENCH_ONLY === undefined || process.env.BENCH_ONLY.split(',').includes(name)
}

/** @param {readonly Contender[]} contenders */
export function chosen(contenders) {
  return contenders.filter(({ name }) => isChosen(name))
}

/** @param {readonly Case[]} cases */
export function noisy(cases) {
  return cases.filter(({ spread = 0 }) => spread > noisySpread).map(({ name, spread = 0 }) => `${name} ±${(spread * 50).toFixed(0)} %`)
}

/** @param {readonly number[]} values */
export function median(values) {
  return quantile(values, 0.5)
}

/** @param {Iterable<number>} values @param {number} at between 0 and 1 */
export function quantile(values, at) {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))] ?? Number.NaN
}

/** @param {Figure} figure @param {ReadonlyMap<string, readonly number[]>} values @returns {Case} */
function summary({ name, unit, against, by, says }, values) {
  const own = values.get(name) ?? []
  const others = against === undefined ? undefined : values.get(by ?? against)
  if (against !== undefined && !others) throw new Error(`${name} is against ${by ?? against}, which is not there`)
  return {
    name,
    value: rounded(median(own)),
    unit,
    ...(others && { against, ratio: rounded(median(own.map((value, round) => value / (others[round] ?? Number.NaN)))) }),
    ...(by !== undefined && { by }),
    ...(says !== undefined && { says }),
    spread: rounded((Math.max(...own) - Math.min(...own)) / median(own)),
  }
}

/** Three digits that count. @param {number} value */
export function rounded(value) {
  return Number(value.toPrecision(value >= 1000 ? Math.ceil(Math.log10(value)) : 3))
}
