#!/usr/bin/env node
// Faults: `npm run faults -- ENGINE [--row F6] [--seed N] [--seconds N] [--client NAME] [--nodes N] [--server VERSION] [--topology NAME] [--json]`; for ENGINE `rivals`, or one of them, others than us are put through the rows that they can play.
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { printTable } from './report.mjs'
import { rows } from './rows/index.mjs'
import { runRow } from './run.mjs'

const engines = new Map([
  ['embedded', new URL('./engines/embedded.mjs', import.meta.url).href],
  ['kafka', new URL('./engines/kafka.mjs', import.meta.url).href],
  ['redis', new URL('./engines/redis.mjs', import.meta.url).href],
  ['rivals/millrace', new URL('./rivals/millrace.mjs', import.meta.url).href],
  ['rivals/kafkajs', new URL('./rivals/kafkajs.mjs', import.meta.url).href],
  ['rivals/confluent', new URL('./rivals/confluent.mjs', import.meta.url).href],
  ['rivals/mq-toolkit', new URL('./rivals/mq-toolkit.mjs', import.meta.url).href],
])
const into = join(import.meta.dirname, '..', '.scratch', 'faults')
const usage = `npm run faults -- ${[...engines.keys(), 'rivals (all of these)'].join(' | ')} [--row ${rows.map(({ id }) => id).join(' | ')}] [--seed N] [--seconds N] [--client NAME] [--nodes N] [--server VERSION] [--topology NAME] [--json]`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    row: { type: 'string', multiple: true },
    seed: { type: 'string' },
    seconds: { type: 'string' },
    client: { type: 'string' },
    nodes: { type: 'string' },
    server: { type: 'string' },
    topology: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
const [name] = positionals
const wanted = values.row?.flatMap((each) => each.toUpperCase().split(','))
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed)
const seconds = values.seconds === undefined ? undefined : Number(values.seconds)
const unknown = wanted?.find((each) => !rows.some(({ id }) => id === each))
if (values.help) console.log(usage)
else if (positionals.length !== 1 || !(engines.has(name) || name === 'rivals')) fail(usage)
else if (unknown !== undefined) fail(`there is no row ${unknown}: ${usage}`)
else if (!Number.isSafeInteger(seed) || seed < 0) fail(`--seed ${values.seed}: a whole number`)
else if (seconds !== undefined && !(seconds > 0)) fail(`--seconds ${values.seconds}: more than 0`)
else await main()

async function main() {
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130))
  const runs = name === 'rivals' ? await everyRival() : await oneEngine()
  if (runs === undefined) return
  const results = []
  for (const run of runs) results.push(...(await play(run)))
  tell('')
  if (values.json) console.log(JSON.stringify({ name, ...(runs.length === 1 ? runs[0].choices : {}), seed, rows: results }, null, 2))
  else printTable(results)
  if (results.some(({ folder }) => folder !== undefined)) {
    console.error(`failed with --seed ${seed}`)
    process.exitCode = 1
  }
  // All is said. A connection that the proxy has cut may keep Node, while it ends by itself, in a loop without end.
  process.exit()
}

/** Each with each of its clients. */
async function everyRival() {
  const rivals = [...engines].filter(([each]) => each.startsWith('rivals/'))
  const runs = await Promise.all(rivals.map(async ([, engine]) => {
    const { adapter } = await import(engine)
    return (adapter.choices?.client ?? [undefined]).map((client) => ({ engine, adapter, choices: client === undefined ? {} : { client } }))
  }))
  return runs.flat()
}

async function oneEngine() {
  const { adapter } = await import(engines.get(name))
  const choices = chosen(adapter)
  return choices && [{ engine: engines.get(name), adapter, choices }]
}

/** The rows that were asked for, of a rival those that it can play. */
async function play({ engine, adapter, choices }) {
  const results = []
  const who = adapter.rival && [adapter.rival.name, choices.client].filter((each) => each !== undefined).join(' ')
  for (const row of rows.filter(({ id }) => (wanted ?? adapter.rows)?.includes(id) ?? true)) {
    const progress = (text) => tell(`${who ? `${who} ` : ''}${row.id} ${row.title}: ${text}`)
    const result = await runRow(row, { engine, choices, seed, seconds, into, progress })
    results.push(who ? { rival: who, ...result } : result)
  }
  return results
}

/** What the adapter lets choose: the first of each unless another is asked for. */
function chosen(adapter) {
  const made = {}
  for (const choice of ['client', 'nodes', 'server', 'topology']) {
    const known = adapter.choices?.[choice] ?? []
    const asked = values[choice] ?? known[0]
    if (asked !== undefined && !known.includes(asked)) return fail(`--${choice} ${asked}: ${known.join(' | ') || `nothing to choose for ${name}`}`)
    if (asked !== undefined) made[choice] = asked
  }
  return made
}

function tell(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`)
  else if (text !== '') process.stderr.write(`${text}\n`)
}

function fail(why) {
  console.error(why)
  process.exitCode = 2
}
