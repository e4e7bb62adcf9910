#!/usr/bin/env node
// Real servers without containers: `npm run services -- kafka [--nodes 3] [-- COMMAND ...] | check [--required kafka] | native-client`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Missing } from './missing.mjs'
import { builtNativeClient, nativeClient, noNativeClient } from './native-client.mjs'
import { services } from './services.mjs'

const names = Object.keys(services)
const usage = `npm run services -- ${names.join(' | ')} [--nodes 1 | 3] [--load] [--folder FOLDER] [--json] [-- COMMAND ...], or check [--required NAME,...] [--json], or native-client`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    nodes: { type: 'string', default: '1' },
    folder: { type: 'string' },
    load: { type: 'boolean', default: false },
    required: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
const [name, ...command] = positionals
const required = values.required?.split(',') ?? []
const nodes = Number(values.nodes)
const known = [...names, 'native-client']
if (values.help) console.log(usage)
else if (![...known, 'check'].includes(name) || (command.length > 0 && !names.includes(name))) fail(usage)
else if (required.some((each) => !known.includes(each))) fail(`--required ${values.required}: ${known.join(', ')}`)
else if (Object.hasOwn(services, name) && !services[name].nodes.includes(nodes)) fail(`--nodes ${values.nodes}: ${services[name].nodes.join(' or ')}`)
else await main()

async function main() {
  try {
    if (name === 'check') check()
    else if (name === 'native-client') console.log(await nativeClient())
    else await serve(services[name])
  } catch (error) {
    if (!(error instanceof Missing)) throw error
    console.error(`${name} cannot run here: ${error.message}`)
    process.exitCode = 1
  }
}

/** Runs it until somebody ends us, or a command that was given has ended: to that one it is at KAFKA=HOST:PORT, as to a program of a page. */
async function serve({ title, start, given }) {
  const began = performance.now()
  const service = await start({ nodes, load: values.load, ...(values.folder === undefined ? {} : { folder: resolve(values.folder) }) })
  const facts = { brokers: service.brokers, pids: service.nodes.map(({ pid }) => pid), folder: service.folder }
  if (command.length > 0) {
    const env = { ...process.env, [name.toUpperCase()]: facts.brokers.join(',') }
    const [code, signal] = await once(spawn(command[0], command.slice(1), { stdio: 'inherit', env }), 'exit')
    await service.stop()
    process.exitCode = signal === null ? code : 1
    return
  }
  if (values.json) console.log(JSON.stringify(facts))
  else {
    console.log(`${title} after ${((performance.now() - began) / 1_000).toFixed(1)} s at ${facts.brokers.join(',')}`)
    console.log(`data and logs: ${facts.folder}\nfor tests: ${given}=${facts.brokers.join(',')}\nCtrl-C stops it`)
  }
  const alive = setInterval(() => undefined, 60_000)
  await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)))
  clearInterval(alive)
  await service.stop()
}

function check() {
  const servers = names.map((each) => ({ name: each, missing: services[each].missing() }))
  const found = [...servers, { name: 'native-client', missing: noNativeClient(), word: builtNativeClient() ?? 'can be built here' }]
  const lacking = found.filter((each) => each.missing !== undefined && required.includes(each.name))
  if (values.json) console.log(JSON.stringify(found.map((each) => ({ name: each.name, here: each.missing === undefined, missing: each.missing })), null, 2))
  else for (const each of found) console.log(`${each.name.padEnd(14)} ${each.missing ?? each.word ?? 'can run here'}`)
  if (lacking.length > 0) fail(`required, and cannot run here: ${lacking.map((each) => each.name).join(', ')}`, 1)
}

function fail(why, code = 2) {
  console.error(why)
  process.exitCode = code
}
