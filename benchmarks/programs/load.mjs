// Load on a server from a process of its own: keep-alive connections, each with one request at a time. It parses no more of an answer than it must,
// so that the server is what limits: autocannon took a core for itself before a bare Fastify had one full.
import { connect } from 'node:net'
import { performance } from 'node:perf_hooks'
import { answerCalls } from '../child.mjs'
import { quantile } from '../rounds.mjs'

/** @typedef {{ requests: readonly Buffer[], end: number, times: number[], connect: () => import('node:net').Socket }} Load */

answerCalls({
  /** @param {{ url: string, bodies: readonly string[], connections: number, ms: number }} load @returns {Promise<{ perSecond: number, p99: number }>} */
  async run({ url, bodies, connections, ms }) {
    const { hostname, port, pathname, host } = new URL(url)
    const requests = bodies.map((body) => Buffer.from(`POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`))
    const start = performance.now()
    /** @type {Load} */
    const load = { requests, end: start + ms, times: [], connect: () => connect({ host: hostname, port: Number(port), noDelay: true }) }
    await Promise.all(Array.from({ length: connections }, (_, index) => connection(load, index)))
    return { perSecond: load.times.length / ((performance.now() - start) / 1_000), p99: quantile(load.times, 0.99) }
  },
})

/** @param {Load} load @param {number} first the request to begin with */
function connection(load, first) {
  return new Promise((resolve, reject) => {
    const socket = load.connect()
    let turn = first
    let sentAt = 0
    let answer = ''
    const send = () => {
      sentAt = performance.now()
      if (sentAt < load.end) socket.write(load.requests[turn++ % load.requests.length] ?? '')
      else socket.end(() => resolve(undefined))
    }
    socket.setEncoding('latin1')
    socket.on('connect', send).on('error', reject)
    socket.on('data', (/** @type {string} */ part) => {
      answer += part
      if (!isWhole(answer)) return
      if (!answer.startsWith('HTTP/1.1 2')) reject(new Error(answer))
      load.times.push(performance.now() - sentAt)
      answer = ''
      send()
    })
  })
}

/** @param {string} answer */
function isWhole(answer) {
  const head = answer.indexOf('\r\n\r\n')
  return head >= 0 && answer.length >= head + 4 + Number(/content-length: (\d+)/i.exec(answer)?.[1])
}
