// Runs the service, kills it twice, repairs what made it give up on some users, and compares what it made of the answers
// with a loop over the file: node main.mjs [answers.csv]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answers } from './answers.mjs'
import { directly } from './direct.mjs'
import { openQueue } from './queue.mjs'
import { report } from './report.mjs'
import { resultsIn } from './results.mjs'
import { writeSample } from './sample.mjs'
import { Service } from './service.mjs'

const folder = mkdtempSync(join(tmpdir(), 'vocabulary-'))
const file = process.argv[2] ?? join(folder, 'sample.csv')
try {
  if (process.argv[2] === undefined) writeSample(file)
  const expected = await directly(file)
  const run = await goThrough(expected.rows)
  process.exitCode = report(expected, await resultsIn(folder), run) ? 0 : 1
} finally {
  rmSync(folder, { recursive: true })
}

async function goThrough(rows) {
  // Once with half of the answers sent, once with half of the work done.
  await runAndKill(({ sent }) => sent >= rows / 2)
  const { duplicates } = await runAndKill(({ sent, counted }) => sent === rows && counted >= (3 * rows) / 2)

  const mill = openQueue(folder) // this process looks after the queue that the service's works on
  const unable = new Service(file, folder)
  await unable.until(({ sent }) => sent === rows)
  const dead = deadIn(await mill.groups.caughtUp(answers))
  await unable.stop('SIGTERM')

  const repaired = new Service(file, folder, 'repaired')
  await repaired.until(({ sent }) => sent === rows)
  const { done: redriven } = await mill.deadLetters.redrive({ filter: { topic: answers, group: 'notices' } })
  const left = deadIn(await mill.groups.caughtUp(answers))
  await repaired.stop('SIGTERM')
  await mill.close()
  return { kills: 2, duplicates, dead, redriven, left }
}

async function runAndKill(isTime) {
  const service = new Service(file, folder)
  await service.until(isTime)
  await service.stop('SIGKILL')
  return service.progress
}

/** How many messages the groups have given up on. */
function deadIn(groups) {
  return groups.reduce((sum, { dead }) => sum + dead, 0)
}
