import { answers, batchesIn } from './answers.mjs'

/**
 * Sends the answers of a file, from the first row on whatever was sent before: a row that is there already is not stored
 * again. Reports how many rows are there, and how many of them were there before.
 */
export async function sendFile(mill, file, report) {
  const isThere = await knownTo(mill)
  let [sent, duplicates] = [0, 0]
  for await (const batch of batchesIn(file, 100)) {
    const missing = batch.filter(({ row }) => !isThere.has(idOf(row)))
    duplicates += batch.length - missing.length
    for (const { ok, error } of await mill.sendMany(answers, missing.map((answer) => toMessage(mill, answer)))) {
      if (error) throw error
      if (ok.duplicate) duplicates += 1
    }
    sent += batch.length
    report({ sent, duplicates })
  }
}

/** An engine with `dedup` knows by itself. Where there is none we look: nobody else sends answers. */
async function knownTo(mill) {
  const ids = new Set()
  if (mill.engine.traits.dedup) return ids
  let cursor
  do {
    const page = await mill.peek(answers, { limit: 1_000, cursor })
    for (const { id } of page.items) ids.add(id)
    cursor = page.cursor
  } while (cursor !== undefined)
  return ids
}

function toMessage(mill, answer) {
  return { value: answer, id: idOf(answer.row), ...(mill.engine.traits.dedup && { dedup: { windowMs: 24 * 3_600_000 } }) }
}

function idOf(row) {
  return `row-${row}`
}
