import { Child } from '../child.mjs'
import { median, runRounds } from '../rounds.mjs'
import { scratch, texts } from '../workload.mjs'

// What does a message over HTTP cost beside the HTTP itself?

const connections = 64
const ms = 2_000
const values = texts(198, 256)
const singles = values.map((value, index) => JSON.stringify({ topicName: 'bench', key: `user-${index}`, value }))
const hundreds = [JSON.stringify({ topicName: 'bench', messages: values.slice(0, 100).map((value, index) => ({ key: `user-${index}`, value })) })]

/** @param {import('../main.mjs').Asked} asked */
export async function ask({ rounds = 3, progress }) {
  const { path, remove } = scratch('http')
  const [memory, embedded, bare, load] = [new Child('server'), new Child('server'), new Child('server'), new Child('load')]
  const urls = { memory: await memory.call('millrace', 'memory', path), embedded: await embedded.call('millrace', 'embedded', path) }
  const fastify = await bare.call('fastify', await bodySchema(urls.memory))
  /** @type {Map<string, number[]>} */
  const busy = new Map()

  /** Requests a second. @param {string} name @param {Child} server @param {string} url @param {readonly string[]} bodies */
  const under = async (name, server, url, bodies) => {
    await server.call('begin')
    const { perSecond, p99 } = await load.call('run', { url, bodies, connections, ms })
    busy.set(name, [...(busy.get(name) ?? []), await server.call('busy')])
    return [perSecond, p99]
  }
  const one = '/api/v1/mq/messages'
  /** @param {string} name @returns {readonly import('../rounds.mjs').Figure[]} */
  const p99 = (name) => [{ name: `${name}-p99`, unit: 'ms', says: 'of a request' }]
  /** @type {import('../rounds.mjs').Contender[]} */
  const contenders = [
    { name: 'single', unit: 'requests/s', against: 'fastify', says: `one message of 200 bytes a request, ${connections} keep-alive connections; memory engine: durability none`, also: p99('single'), round: () => under('single', memory, urls.memory + one, singles) },
    { name: 'fastify', unit: 'requests/s', says: 'bare Fastify: the same body and body schema, an answer of the same size, no hooks', also: p99('fastify'), round: () => under('fastify', bare, fastify + one, singles) },
    { name: 'single-fsync', unit: 'requests/s', against: 'fastify', says: 'as single; embedded engine, fsync before the answer', also: p99('single-fsync'), round: () => under('single-fsync', embedded, urls.embedded + one, singles) },
    { name: 'batch-100', unit: 'messages/s', says: `100 messages a request, ${connections} connections; embedded engine, fsync before the answer`, also: p99('batch-100'), round: async () => {
      const [perSecond = 0, late = 0] = await under('batch-100', embedded, `${urls.embedded}${one}/batch`, hundreds)
      return [perSecond * 100, late]
    } },
  ]
  try {
    const cases = await runRounds(contenders, { rounds, progress })
    const full = [...busy].map(([name, shares]) => `${name} ${median(shares).toFixed(0)} %`).join(', ')
    return { cases, notes: [`server and load are a process each, and share the cores with the store's thread. How busy the server's own thread was: ${full}`] }
  } finally {
    await Promise.all([memory, embedded, bare, load].map((child) => child.end()))
    remove()
  }
}

/** What the server itself checks a message with. @param {string} url */
async function bodySchema(url) {
  const answer = await fetch(`${url}/openapi.json`)
  const { paths } = await answer.json()
  return paths['/api/v1/mq/messages'].post.requestBody.content['application/json'].schema
}
