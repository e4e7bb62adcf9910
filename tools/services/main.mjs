#!/usr/bin/env node
// Real servers without containers: `npm run services -- kafka | redis | check | native-client`; --help says what else can be said.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Missing } from './missing.mjs'
import { builtNativeClient, nativeClient, noNativeClient } from './native-client.mjs'
import { NotAskedFor, optionsOf } from './options.mjs'
import { services } from './services.mjs'

const names = Object.keys(services)
const usage = [
  'npm run services -- kafka [--nodes 1 | 3] [--load] [--folder FOLDER] [--json] [-- COMMAND ...]',
  `npm run services -- redis [--version ${services.redis.options.version.join(' | ')}] [--topology ${services.redis.options.topology.join(' | ')}] [--replicas N]`,
  "    [--config 'NAME VALUE']... [--folder FOLDER] [--json] [-- COMMAND ...]",
  'npm run services -- check [--required NAME,...] [--json]',
  'npm run services -- native-client',
].join('\n')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    nodes: { type: 'string' },
    version: { type: 'string' },
    topology: { type: 'string' },
    replicas: { type: 'string' },
    config: { type: 'string', multiple: true, default: [] },
    folder: { type: 'string' },
    load: { type: 'boolean', default: false },
    required: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
const [name, ...command] = positionals
const required = values.required?.split(',') ?? []
const checks = { ...Object.assign({}, ...names.map((each) => services[each].checks)), 'native-client': noNativeClient }
if (values.help) console.log(usage)
else if (![...names, 'native-client', 'check'].includes(name) || (command.length > 0 && !names.includes(name))) fail(usage)
else if (required.some((each) => !Object.hasOwn(checks, each))) fail(`--required ${values.required}: ${Object.keys(checks).join(', ')}`)
else await main()

async function main() {
  try {
    if (name === 'check') check()
    else if (name === 'native-client') console.log(await nativeClient())
    else await serve(services[name])
  } catch (error) {
    if (error instanceof Missing) fail(`${name} cannot run here: ${error.message}`, 1)
    else if (error instanceof NotAskedFor) fail(error.message)
    else throw error
  }
}

/** Runs it until somebody ends us, or a command that was given has ended: to that one it is at KAFKA=HOST:PORT or REDIS=URL, as to a program of a page. */
async function serve(kind) {
  const began = performance.now()
  const { nodes, version, topology, replicas } = values
  const service = await kind.start({ ...optionsOf(kind, { nodes, version, topology, replicas }), ...extras() })
  const pids = [...service.nodes, ...(service.sentinels ?? [])].map(({ pid }) => pid)
  const facts = { ...kind.facts(service), pids, folder: service.folder }
  if (command.length > 0) {
    const env = { ...process.env, ...kind.environment(facts) }
    const [code, signal] = await once(spawn(command[0], command.slice(1), { stdio: 'inherit', env }), 'exit')
    await service.stop()
    process.exitCode = signal === null ? code : 1
    return
  }
  if (values.json) console.log(JSON.stringify(facts))
  else {
    const places = Object.entries(kind.environment(facts)).map(([variable, place]) => [place, `SERVICES_${variable}=${place}`])
    console.log(`${service.title ?? kind.title} after ${((performance.now() - began) / 1_000).toFixed(1)} s at ${places.map(([place]) => place).join(' ')}`)
    if (facts.addresses?.length > 1) console.log(`nodes: ${facts.addresses.join(' ')}`)
    if (facts.sentinels !== undefined) console.log(`Sentinels of ${facts.primaryName}: ${facts.sentinels.join(' ')}`)
    console.log(`data and logs: ${facts.folder}\nfor tests: ${places.map(([, given]) => given).join(' ')}\nCtrl-C stops it`)
  }
  const alive = setInterval(() => undefined, 60_000)
  await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)))
  clearInterval(alive)
  await service.stop()
}

/** What is no choice among a few. */
function extras() {
  const config = {}
  for (const line of values.config) {
    const [setting, ...value] = line.split(' ')
    config[setting] = [...(config[setting] ?? []), value.join(' ')]
  }
  return {
    ...(name === 'kafka' ? { load: values.load } : { config }),
    ...(values.folder === undefined ? {} : { folder: resolve(values.folder) }),
  }
}

function check() {
  const word = { 'native-client': builtNativeClient() ?? 'can be built here' }
  const found = Object.entries(checks).map(([each, missing]) => ({ name: each, missing: missing(), word: word[each] }))
  const lacking = found.filter((each) => each.missing !== undefined && required.includes(each.name))
  if (values.json) console.log(JSON.stringify(found.map((each) => ({ name: each.name, here: each.missing === undefined, missing: each.missing })), null, 2))
  else for (const each of found) console.log(`${each.name.padEnd(14)} ${each.missing ?? each.word ?? 'can run here'}`)
  if (lacking.length > 0) fail(`required, and cannot run here: ${lacking.map((each) => each.name).join(', ')}`, 1)
}

function fail(why, code = 2) {
  console.error(why)
  process.exitCode = code
}
