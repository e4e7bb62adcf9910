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
    return { brokers: Array.from({ length: nodes }, (_, index) => `127.0.0.1:${index}`), stop }
  }
  const tool = async (brokers, name, args, { input = '' }) => {
    if (name === 'saw') throw new Error('the saw is blunt')
    return { stdout: `${name} ${args.join(' ')} at ${brokers.join(',')}: ${input}`, stderr: '' }
  }
  const host = new Host({ mill: { start: start ?? starting, given: 'SERVICES_MILL', tool } }, env)
  opened.push(host)
  const at = await host.open()
  const ask = async (path, order) => {
    const response = await fetch(`${at}${path}`, order && { method: 'POST', body: JSON.stringify(order) })
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
