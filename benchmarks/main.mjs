#!/usr/bin/env node
// Benchmarks: `npm run bench -- NAME [--json] [--rounds N]`. One file of questions/ a name.
import { parseArgs } from 'node:util'
import { printTable } from './report.mjs'
import { noisy, runRounds } from './rounds.mjs'

/** @type {ReadonlyMap<string, () => Promise<{ contenders: () => Promise<readonly import('./rounds.mjs').Contender[]>, footnotes?: () => readonly string[] }>>} */
const questions = new Map([['memory', () => import('./questions/memory.mjs')]])
const names = [...questions.keys()]
const usage = `npm run bench -- ${names.join(' | ')} [--json] [--rounds N]`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '5' }, help: { type: 'boolean', short: 'h', default: false } },
})
const [name, ...more] = positionals
const rounds = Number(values.rounds)
if (values.help) {
  console.log(usage)
} else if (name === undefined || more.length > 0 || !names.includes(name)) {
  fail(name === undefined ? usage : `no benchmark ${positionals.join(' ')}: ${usage}`)
} else if (!Number.isInteger(rounds) || rounds < 1) {
  fail(`--rounds ${values.rounds}: a whole number from 1`)
} else {
  await run(name)
}

/** @param {string} question */
async function run(question) {
  const { contenders, footnotes = () => [] } = await questions.get(question)()
  const cases = await runRounds(await contenders(), { rounds, progress })
  progress('')
  const notes = [...footnotes(), ...(noisy(cases).length > 0 ? [`the machine was noisy: ${noisy(cases).join(', ')}`] : [])]
  if (values.json) console.log(JSON.stringify({ name: question, cases, notes }, null, 2))
  else printTable(question, cases, notes)
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
