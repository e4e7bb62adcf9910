import { createReadStream } from 'node:fs'
import { parse } from 'csv-parse'
import { topic } from 'millrace'
import { z } from 'zod'

/** One learner's answer to one word. `row` is its place in the file, and its time. */
export const answers = topic('answers', {
  schema: z.object({ row: z.number(), user: z.string(), list: z.string(), word: z.string(), correct: z.boolean() }),
  key: ({ user, word }) => `${user}/${word}`, // a user's answers to one word are reviewed in their order
})

/** The answers of a CSV file, one after another. */
export async function* answersIn(file) {
  let row = 0
  for await (const { subj, block, answer, correct } of createReadStream(file).pipe(parse({ columns: true }))) {
    row += 1
    yield { row, user: subj, list: block, word: answer, correct: correct === 'TRUE' }
  }
}

/** Many at a time, as they are sent. */
export async function* batchesIn(file, size) {
  let batch = []
  for await (const answer of answersIn(file)) {
    batch.push(answer)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
