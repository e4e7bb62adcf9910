import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import Database from 'better-sqlite3'
import { better, defineQueue, defineWorker } from 'plainjob'
import { scratch } from '../workload.mjs'

const quiet = { error() {}, warn() {}, info() {}, debug() {} }

/** Sends so many in batches of 1,000 and works them off; answers both speeds. @param {readonly string[]} values @returns {Promise<[number, number]>} */
export async function plainjobRound(values) {
  const { path, remove } = scratch('plainjob')
  const queue = defineQueue({ connection: better(new Database(join(path, 'jobs.db'))), logger: quiet, serializer: String })
  const sending = performance.now()
  for (let at = 0; at < values.length; at += 1_000) queue.addMany('bench', values.slice(at, at + 1_000))
  const sent = performance.now()
  let left = values.length
  const worker = defineWorker('bench', () => {
    left -= 1
    if (left === 0) void worker.stop()
  }, { queue, logger: quiet, pollIntervall: 1 })
  await worker.start()
  const end = performance.now()
  queue.close()
  remove()
  return [values.length / ((sent - sending) / 1_000), values.length / ((end - sent) / 1_000)]
}
