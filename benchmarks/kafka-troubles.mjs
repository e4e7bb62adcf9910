import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { blobs, keptTopic, millOf, partitions } from './workload.mjs'

// What the others notice when a member comes and goes, and how soon everything is back after a broker was killed.

const steady = keptTopic('steady')
const [value] = blobs(200, 1)
const settleMs = 2_000
/** One to each partition, so often. */
const everyMs = 4

/** Sends to all partitions until it is stopped. @param {import('millrace').Millrace} mill @param {(at: number) => void} [sent] told of each answer */
function stream(mill, sent = () => undefined) {
  let isOver = false
  const lane = async (/** @type {number} */ partition) => {
    while (!isOver) {
      await mill.send(steady, value, { partition }).then(() => sent(performance.now()), () => undefined)
      await sleep(everyMs)
    }
  }
  const lanes = Array.from({ length: partitions }, (_, partition) => lane(partition))
  return { stop: async () => {
    isOver = true
    await Promise.all(lanes)
  } }
}

/** A member and what it has had: when, of which partition, which. @param {import('millrace').Millrace} mill @param {string} group */
function member(mill, group) {
  /** @type {{ at: number, partition: number, id: string }[]} */
  const had = []
  const consumer = mill.consume(steady, group, async ({ partition, id }) => {
    had.push({ at: performance.now(), partition, id })
  })
  return { had, close: () => consumer.close() }
}

/** @param {{ had: readonly { at: number }[] }} member @param {number} since */
async function hasHad({ had }, since) {
  while (!((had.at(-1)?.at ?? 0) > since)) await sleep(5)
  return had.find(({ at }) => at > since)?.at ?? Number.NaN
}

/** @param {readonly number[]} times */
function longestGap(times) {
  return Math.max(0, ...times.slice(1).map((time, index) => time - (times[index] ?? time)))
}

/**
 * A second member joins under load and leaves again.
 * @param {() => import('millrace').Engine} engine a new one of the same store
 * @returns {import('./rounds.mjs').Contender}
 */
export function rebalance(engine) {
  let rounds = 0
  return {
    name: 'rebalance-pause', unit: 'ms', says: `a second member joins and leaves, 8 partitions, a message to each every ${everyMs} ms: the longest that a partition which stayed with the first brought nothing`,
    also: [
      { name: 'rebalance-moved', unit: 'ms', says: 'the same: the longest that any partition brought nothing to either' },
      { name: 'rebalance-twice', unit: 'messages', says: 'handled twice' },
    ],
    round: async () => {
      const [one, other] = await Promise.all([millOf(engine(), [steady]), millOf(engine(), [])])
      const group = `rebalance-${process.pid}-${rounds++}`
      await one.groups.create(steady, group, 'end')
      const load = stream(one)
      const stays = member(one, group)
      await hasHad(stays, 0)
      await sleep(settleMs)
      const began = performance.now()
      const comes = member(other, group)
      await hasHad(comes, 0)
      await sleep(settleMs)
      await comes.close()
      await sleep(settleMs)
      await load.stop()
      await stays.close()
      await Promise.all([one.close(), other.close()])
      const moved = new Set(comes.had.map(({ partition }) => partition))
      const all = [...stays.had, ...comes.had].sort((first, second) => first.at - second.at)
      const gaps = Array.from({ length: partitions }, (_, partition) => ({ partition, ms: longestGap(all.filter((each) => each.partition === partition && each.at >= began).map(({ at }) => at)) }))
      const stayed = gaps.filter(({ partition }) => !moved.has(partition)).map(({ ms }) => ms)
      return [Math.max(0, ...stayed), Math.max(...gaps.map(({ ms }) => ms)), all.length - new Set(all.map(({ id }) => id)).size]
    },
  }
}

/**
 * The broker is killed and started again.
 * @param {() => import('millrace').Engine} engine @param {any} node
 * @returns {import('./rounds.mjs').Contender}
 */
export function restart(engine, node) {
  return {
    name: 'restart-consume', unit: 'ms', says: 'SIGKILL of the only broker, and a start: from its being ready to the first message handled',
    also: [
      { name: 'restart-send', unit: 'ms', says: 'the same: to the first send answered' },
      { name: 'restart-broker', unit: 'ms', says: 'what the broker took to be ready' },
    ],
    round: async () => {
      const mill = await millOf(engine(), [steady])
      let answered = 0
      const load = stream(mill, (at) => {
        answered = at
      })
      const all = member(mill, `restart-${process.pid}`)
      await hasHad(all, 0)
      await sleep(settleMs)
      await node.kill()
      const killed = performance.now()
      await node.start()
      const ready = performance.now()
      const send = async () => {
        while (answered <= killed) await sleep(2)
        return answered
      }
      const [consumed, sent] = await Promise.all([hasHad(all, ready), send()])
      await load.stop()
      await all.close()
      await mill.close()
      return [consumed - ready, Math.max(0, sent - ready), ready - killed]
    },
  }
}
