// Sends from a process of its own: as fast as somebody reads, or at a pace. Each value begins with when it was sent, by the clock that all processes of a host share.
import { performance } from 'node:perf_hooks'
import { answerCalls } from '../child.mjs'
import { Gate } from '../gate.mjs'
import { redisEngine } from '../redis-place.mjs'
import { batchSize, flowTopic, inLanes, millOf } from '../workload.mjs'

const valueBytes = 200
const underWay = 4
/** @type {import('millrace').Millrace} */
let mill
let gate = new Gate(0)
let sent = 0

answerCalls({
  /** @param {string} url */
  async open(url) {
    mill = await millOf(await redisEngine('ioredis', url), [flowTopic])
  },
  close: () => mill.close(),
  /** So many of what was sent were read. @param {number} count */
  saw: (count) => gate.saw(count),
  /** In batches, as long as not more than `most` are unread. @param {{ ms: number, most: number }} how how many were sent */
  async flood({ ms, most }) {
    gate = new Gate(most)
    const before = sent
    const end = performance.now() + ms
    await inLanes(underWay, underWay, async () => {
      while (performance.now() < end) {
        await gate.enter(batchSize)
        await mill.sendMany(flowTopic, Array.from({ length: batchSize }, item))
      }
    })
    return sent - before
  },
  /** Each alone, evenly over the time. @param {{ perSecond: number, ms: number }} how how many were sent */
  async pace({ perSecond, ms }) {
    const before = sent
    const start = performance.now()
    /** @type {Promise<unknown>[]} */
    const sends = []
    for (let now = start; now < start + ms; now = performance.now()) {
      const due = ((now - start) / 1_000) * perSecond
      while (sent - before < due) {
        const { value, key } = item()
        sends.push(mill.send(flowTopic, value, { key }))
      }
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await Promise.all(sends)
    return sent - before
  },
})

function item() {
  const value = Buffer.alloc(valueBytes, 'x')
  value.writeBigUInt64LE(process.hrtime.bigint())
  sent += 1
  return { value, key: `user-${sent % 1_000}` }
}
