#!/usr/bin/env node
// Runs the conformance suite and its mutants on an engine: `npm run conformance -- memory|embedded|kafka|redis [--client NAME] [--nodes 3] [--topology NAME] [--server VERSION] [--scale 0.1] [--only WORDS] [--json]`.
import { parseArgs } from 'node:util'
import { mutants, cases, runMutants, runSuite } from 'millrace/conformance'
import { clientNames, kafkaHarnesses } from './kafka-harness.mjs'
import { redisClients, redisHarnesses, redisTopologies, redisVersions } from './redis-harness.mjs'

/** How to come to harnesses, by the engine's name. What runs on a server is slower, and mutants that every engine shows need it not. */
const harnesses = {
  memory: async () => {
    const { memoryHarness } = await import('../packages/millrace/dist/testing/harness/memory.js')
    return { makeHarness: memoryHarness }
  },
  embedded: async () => {
    const { embeddedHarness } = await import('../packages/millrace/dist/testing/harness/embedded.js')
    return { makeHarness: () => embeddedHarness(import.meta.resolve('lmdb')) }
  },
  kafka: async ({ client, nodes }) => ({ ...(await kafkaHarnesses({ client, nodes: Number(nodes) })), limitMs: 240_000, atOnce: 24, mutants: false }),
  redis: async ({ client, topology, server, scale }) => ({ ...(await redisHarnesses({ client, topology, server, timeScale: Number(scale) })), limitMs: 240_000, atOnce: 24, mutants: false }),
}

/** The clients that an engine works with. */
const clientsOf = { kafka: clientNames, redis: redisClients }

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    client: { type: 'string' },
    nodes: { type: 'string', default: '1' },
    topology: { type: 'string', default: 'standalone' },
    server: { type: 'string', default: '7.0' },
    scale: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
})
const [engine = ''] = positionals
const isKnown = Object.hasOwn(harnesses, engine) && positionals.length === 1 && (values.client === undefined || clientsOf[engine]?.includes(values.client))
const isPossible = ['1', '3'].includes(values.nodes) && redisTopologies.includes(values.topology) && redisVersions.includes(values.server) && Number(values.scale) > 0
if (!isKnown || !isPossible) {
  const servers = `kafka: [--client ${clientNames.join('|')}] [--nodes 1|3]; redis: [--client ${redisClients.join('|')}] [--topology ${redisTopologies.join('|')}] [--server ${redisVersions.join('|')}] [--scale 0.1]`
  console.error(`usage: npm run conformance -- ${Object.keys(harnesses).join('|')} [--only WORDS] [--json]; ${servers}`)
  process.exit(2)
}

/** People read on stdout; with --json it is a program's, and people follow on stderr. */
const say = values.json ? console.error : console.log
const { makeHarness, stop = () => undefined, limitMs, atOnce, mutants: runsMutants = true } = await harnesses[engine](values)
const filter = ({ noun, name }) => `${noun}: ${name}`.includes(values.only)

const suite = await runSuite({ makeHarness, filter, onResult: sayCase(cases.filter(filter).length), ...(limitMs && { limitMs, atOnce }) })
const caught = runsMutants ? await runMutants({ makeHarness, onResult: sayMutant(mutants.length) }) : []
await stop()
const by = caught.filter((each) => each.caught).map((each) => ({ mutant: each.mutant, case: each.case }))
const { passed, failed, refused } = suite

if (values.json) {
  const report = { engine: suite.engine, passed, failed, refused, mutants: { total: caught.length, caught: by.length, by } }
  console.log(JSON.stringify({ ...report, cases: suite.results.map(({ noun, name, result }) => ({ noun, name, result })) }, null, 2))
}
say(`${suite.engine}: ${passed} passed, ${failed} failed, ${refused} refused; ${by.length} of ${caught.length} broken engines caught`)
process.exitCode = failed === 0 && by.length === caught.length ? 0 : 1

function sayCase(total) {
  let count = 0
  return ({ noun, name, result, error }) => {
    count += 1
    say(`${progress(count, total)} ${result.padEnd(7)} ${noun}: ${name}`)
    if (error) say(indented(error))
  }
}

function sayMutant(total) {
  let count = 0
  return (result) => {
    count += 1
    say(`${progress(count, total)} ${result.caught ? 'caught ' : 'MISSED '} an engine that ${result.mutant}, by: ${result.case}`)
  }
}

function progress(count, total) {
  return `${String(count).padStart(String(total).length)}/${total}`
}

function indented(error) {
  return String(error instanceof Error ? (error.stack ?? error.message) : error).replace(/^/gm, '        ')
}
