import fastq from 'fastq'
import { inLanes, rate } from '../workload.mjs'

/** @param {readonly unknown[]} values */
export function fastqRound(values) {
  let seen = 0
  const queue = fastq.promise(async () => {
    seen += 1
  }, 32)
  return rate(values.length, async () => {
    await inLanes(values.length, 1_000, (index) => queue.push(values[index]))
    if (seen !== values.length) throw new Error(`fastq ran ${seen} of ${values.length}`)
  })
}
