import { libraries } from './clients/libraries.harness.js'
import { type DrainMill, drainList } from './drain-list.js'
import { draft } from './engine.harness.js'
import { redis } from './redis.js'

/** An importer that is killed once its second batch is stored, and before it lets go of it: node drain-list.harness.js URL PREFIX LIST. */
const [url = '', prefix = '', list = ''] = process.argv.slice(2)
const made = await libraries[0]?.standalone(url)
const engine = redis({ client: made?.client, prefix })
await engine.open()
let batches = 0
const mill: DrainMill = {
  engine,
  topics: { get: () => Promise.resolve({ partitions: 3 }) },
  async sendMany(_, items) {
    const answers = await engine.publish(items.map(({ value, id, partition = 0, dedup }) => draft(JSON.stringify(value), { topic: 'events', id, partition, ...(dedup && { dedup: { id, ...dedup } }) })))
    batches += 1
    if (batches === 2) process.kill(process.pid, 'SIGKILL')
    return answers
  },
}
await drainList({ client: made?.client, list, mill, topic: 'events', batch: 50 })
