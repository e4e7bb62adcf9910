#!/usr/bin/env node
// Benchmarks: `npm run bench -- NAME [--json | --into PAGE] [--rounds N] [--full]`. One file of questions/ a name.
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { putInto } from './page.mjs'
import { printTable } from './report.mjs'
import { noisy } from './rounds.mjs'
import { judged } from './targets.mjs'

/**
 * @typedef {object} Asked
 * @property {number} [rounds] absent: what the question takes for itself
 * @property {boolean} full
 * @property {(text: string) => void} progress
 *
 * @typedef {object} Question
 * @property {(asked: Asked) => Promise<{ cases: readonly import('./rounds.mjs').Case[], notes: readonly string[] }>} ask
 */

/** @type {ReadonlyMap<string, () => Promise<Question>>} */
const questions = new Map([
  ['memory', () => import('./questions/memory.mjs')],
  ['embedded', () => import('./questions/embedded.mjs')],
  ['backlog', () => import('./questions/backlog.mjs')],
  ['delays', () => import('./questions/delays.mjs')],
  ['http', () => import('./questions/http.mjs')],
  ['processes', () => import('./questions/processes.mjs')],
  ['kafka', () => import('./questions/kafka.mjs')],
  ['redis', () => import('./questions/redis.mjs')],
])
const names = [...questions.keys()]
const usage = `npm run bench -- ${names.join(' | ')} [--json] [--rounds N] [--full] [--into PAGE.md]`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    full: { type: 'boolean', default: false },
    into: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
const [name, ...more] = positionals
const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
if (values.help) {
  console.log(usage)
} else if (name === undefined || more.length > 0 || !names.includes(name)) {
  fail(name === undefined ? usage : `no benchmark ${positionals.join(' ')}: ${usage}`)
} else if (rounds !== undefined && (!Number.isInteger(rounds) || rounds < 1)) {
  fail(`--rounds ${values.rounds}: a whole number from 1`)
} else {
  await run(name)
  // A rival may leave a timer behind.
  process.exit()
}

/** @param {string} question */
async function run(question) {
  const { ask } = await questions.get(question)()
  const before = loadavg()[0] ?? 0
  const { cases: measured, notes: own } = await ask({ rounds, full: values.full, progress })
  const cases = measured.map((each) => judged(question, each))
  progress('')
  const notes = [machine(), ...busyBefore(before), ...own, ...(noisy(cases).length > 0 ? [`the machine was noisy: ${noisy(cases).join(', ')}`] : [])]
  if (values.into !== undefined) putInto(values.into, question, cases, notes)
  if (values.json) console.log(JSON.stringify({ name: question, cases, notes }, null, 2))
  else printTable(question, cases, notes)
}

function machine() {
  return `${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, load talks to loopback from the same cores`
}

/** Rounds that are all slowed down alike have no spread. @param {number} load */
function busyBefore(load) {
  return load < availableParallelism() / 2 ? [] : [`others were at work: the load average was ${load.toFixed(1)} before it began`]
}

/** @param {string} text */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`)
  else if (text !== '') process.stderr.write(`${text}\n`)
}

/** @param {string} why */
function fail(why) {
  console.error(why)
  process.exitCode = 2
}
