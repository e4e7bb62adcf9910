import { createHash } from 'node:crypto'
import { hash } from '../random.mjs'

/** Of a value's bytes, short. */
export function sumOf(bytes) {
  return createHash('sha1').update(bytes).digest('base64').slice(0, 12)
}

/** The value carries what a consumer writes down. */
export function valueOf(facts, padding) {
  return Buffer.from(JSON.stringify({ ...facts, padding: 'x'.repeat(padding) }))
}

export function factsOf(value) {
  return JSON.parse(Buffer.from(value).toString())
}

export function partitionOf(key, partitions) {
  return hash(key) % partitions
}

/** Errors of an engine, by what they say of the outcome. Everything but these leaves it open. */
const refusals = new Set(['STORE_FULL', 'FULL', 'INVALID', 'CLOSED', 'NOT_OPEN', 'UNKNOWN_TOPIC', 'TOO_LARGE', 'HELD_ALREADY', 'UNSUPPORTED', 'BUSY'])

const broken = 'ENGINE_FAILED'

/**
 * Publishes drafts in one call and writes down what was asked and answered. `entries` are `{ draft, op, facts }`. Answers for each the receipt or
 * undefined, which outcomes are unknown, by index, and the first error.
 */
export async function publish({ engine, recorder }, entries) {
  const calls = recorder.together(() => entries.map(({ draft, op, facts }) => recorder.invoke(op, { topic: draft.topic, id: draft.id, key: draft.key, ...facts })))
  let answers
  try {
    answers = await engine.publish(entries.map(({ draft }) => draft))
  } catch (error) {
    recorder.together(() => calls.forEach((call) => (refusals.has(error.code) ? call.fail(error) : call.info(error))))
    return { receipts: entries.map(() => undefined), unknown: refusals.has(error.code) ? [] : [...entries.keys()], error }
  }
  recorder.together(() => answers.forEach((answer, index) => note(calls[index], answer)))
  const unknown = [...answers.keys()].filter((index) => answers[index].error && answers[index].stored !== 'no')
  endIfBroken(answers.find((answer) => answer.error?.code === broken)?.error)
  return { receipts: answers.map((answer) => answer.ok), unknown, error: answers.find((answer) => answer.error)?.error }
}

function note(call, { ok, error, stored }) {
  if (ok) call.ok({ partition: ok.partition, offset: ok.offset === null ? null : String(ok.offset), survives: ok.survives, duplicate: ok.duplicate })
  else if (stored === 'no') call.fail(error)
  else call.info(error)
}

/**
 * Decides about holds in one call. `entries` are `{ decision, op, facts }`. 'gone' says that somebody else has decided, or this one before
 * its answer was lost: with `isSole` it never happened, else nobody knows.
 */
export async function decide({ engine, recorder }, entries, { isSole = false } = {}) {
  const calls = recorder.together(() => entries.map(({ op, facts }) => recorder.invoke(op, facts)))
  try {
    const answers = await engine.decide(entries.map(({ decision }) => decision))
    recorder.together(() => answers.forEach((answer, index) => {
      if (answer !== 'gone') calls[index].ok()
      else if (isSole) calls[index].fail('gone')
      else calls[index].info('gone')
    }))
    return answers
  } catch (error) {
    recorder.together(() => calls.forEach((call) => call.info(error)))
    endIfBroken(error)
    return entries.map(() => 'unknown')
  }
}

/** An engine that says this will not work again: its process ends, for somebody to start it anew. */
function endIfBroken(error) {
  if (error?.code === broken) throw error
}
