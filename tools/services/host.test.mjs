import { afterEach, expect, it } from 'vitest'
import { Host } from './host.mjs'
import { Missing } from './missing.mjs'

const opened = []
afterEach(() => Promise.all(opened.splice(0).map((host) => host.close())))

/** A service whose starts and stops are counted. */
async function hostOf({ env = {}, start } = {}) {
  const counts = { starts: 0, stops: 0 }
  const stop = async () => {
    counts.stops += 1
  }
  const starting = async ({ nodes }) => {
    counts.starts += 1
    return { brokers: Array.from({ length: Number(nodes) }, (_, index) => `127.0.0.1:${index}`), nodes: [{ call: async (word) => `${word}!` }], stop }
  }
  const facts = ({ brokers }) => ({ brokers })
  const given = ({ SERVICES_MILL: named }) => (named ? { brokers: named.split(',') } : undefined)
  const tool = async ({ brokers }, name, args, { input = '' }) => {
    if (name === 'saw') throw new Error('the saw is blunt')
    return { stdout: `${name} ${args.join(' ')} at ${brokers.join(',')}: ${input}`, stderr: '' }
  }
  const verbs = { open: async (service, gate) => `${gate} is open` }
  const host = new Host({ mill: { verbs, options: { nodes: ['1', '3'] }, start: start ?? starting, facts, given, tool } }, env)
  opened.push(host)
  const at = await host.open()
  const ask = async (path, order, method = order && 'POST') => {
    const response = await fetch(`${at}${path}`, { method, body: order && JSON.stringify(order) })
    return { status: response.status, text: await response.text() }
  }
  return { host, ask, counts }
}

it('starts what is asked for once, however many ask at a time', async () => {
  const { ask, counts } = await hostOf()
  const answers = await Promise.all([ask('/mill'), ask('/mill'), ask('/mill?nodes=1')])
  expect(answers.map(({ text }) => text)).toEqual(Array(3).fill('{"brokers":["127.0.0.1:0"]}'))
  expect(counts.starts).toBe(1)
})

it('starts nothing that nobody asks for, and stops what it started', async () => {
  const { host, ask, counts } = await hostOf()
  expect(counts.starts).toBe(0)
  await ask('/mill')
  await ask('/mill?nodes=3')
  opened.pop()
  await host.close()
  expect(counts).toEqual({ starts: 2, stops: 2 })
})

it('lends a running one that the environment names', async () => {
  const { ask, counts } = await hostOf({ env: { SERVICES_MILL: 'mill:1,mill:2' } })
  expect(await ask('/mill?nodes=3')).toEqual({ status: 200, text: '{"brokers":["mill:1","mill:2"]}' })
  expect(counts.starts).toBe(0)
})

it('starts what can be asked for only', async () => {
  const { ask, counts } = await hostOf()
  expect(await ask('/mill?nodes=2')).toEqual({ status: 500, text: 'Error: nodes 2: 1 or 3' })
  expect(await ask('/mill?wheels=2')).toEqual({ status: 500, text: 'Error: wheels: only nodes can be asked for' })
  expect(counts.starts).toBe(0)
})

it('says why one cannot run here, which is a failure where services are required', async () => {
  const start = () => Promise.reject(new Missing('it needs a river'))
  const text = 'mill cannot run here: it needs a river'
  expect(await (await hostOf({ start })).ask('/mill')).toEqual({ status: 503, text })
  expect(await (await hostOf({ start, env: { SERVICES: 'required' } })).ask('/mill')).toEqual({ status: 500, text })
})

it('a start that went wrong is a failure everywhere', async () => {
  const { ask } = await hostOf({ start: () => Promise.reject(new Error('the dam broke')) })
  expect(await ask('/mill')).toEqual({ status: 500, text: 'Error: the dam broke' })
})

it('does not know other names', async () => {
  expect(await (await hostOf()).ask('/toString')).toEqual({ status: 404, text: 'no service toString: mill' })
})

it('runs the tools of what it lends', async () => {
  const { ask, counts } = await hostOf()
  expect(await ask('/mill', { tool: 'sieve', args: ['--fine'], input: 'flour' })).toEqual({ status: 200, text: '{"stdout":"sieve --fine at 127.0.0.1:0: flour","stderr":""}' })
  expect(await ask('/mill', { tool: 'saw', args: [] })).toEqual({ status: 500, text: 'Error: the saw is blunt' })
  expect(counts.starts).toBe(1)
})

it('gives a test a server of its own, does with it what it is told, and stops it', async () => {
  const { host, ask, counts } = await hostOf()
  const start = { service: 'mill', options: { nodes: '1' } }
  expect(await ask('/own', start)).toEqual({ status: 200, text: '{"id":"1","brokers":["127.0.0.1:0"]}' })
  await ask('/own', start)
  expect(await ask('/own/1', { node: 0, verb: 'call', args: ['hey'] })).toEqual({ status: 200, text: '{"answer":"hey!"}' })
  expect(await ask('/own/1', { verb: 'open', args: ['the gate'] })).toEqual({ status: 200, text: '{"answer":"the gate is open"}' })
  expect(await ask('/own/1', { node: 0, verb: 'toString' })).toMatchObject({ status: 500, text: expect.stringContaining('a node can kill') })
  expect(await ask('/own/1', undefined, 'DELETE')).toEqual({ status: 200, text: '{}' })
  expect(counts).toEqual({ starts: 2, stops: 1 })
  expect(await ask('/own/1', { verb: 'open' })).toMatchObject({ status: 500 })
  opened.pop()
  await host.close()
  expect(counts.stops).toBe(2)
})
