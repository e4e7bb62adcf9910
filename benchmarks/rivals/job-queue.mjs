import { FileStorage, MemoryStorage, Queue } from '@platformatic/job-queue'
import { inLanes, rate, scratch } from '../workload.mjs'

/** Sends and works off so many jobs in one process. @param {readonly string[]} values @param {'memory' | 'file'} kind */
export async function jobQueueRound(values, kind) {
  const { path, remove } = scratch('job-queue')
  const storage = kind === 'memory' ? new MemoryStorage() : new FileStorage({ basePath: path })
  const queue = new Queue({ storage, concurrency: 32, resultTTL: 1 })
  let left = values.length
  const all = new Promise((resolve) => {
    queue.on('completed', () => {
      left -= 1
      if (left === 0) resolve(undefined)
    })
  })
  queue.execute(async () => null)
  await queue.start()
  const speed = await rate(values.length, () => Promise.all([inLanes(values.length, 64, (index) => queue.enqueue(`job-${index}`, values[index])), all]))
  await queue.stop()
  remove()
  return speed
}
