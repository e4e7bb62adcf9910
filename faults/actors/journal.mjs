import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { historyFile } from '../history.mjs'

/**
 * What the processes that played this part before have sent: by key the highest sequence, and the facts of sends without an answer. What was
 * prepared and not decided is left to the checker, as it is when its owner has died.
 */
export function sentBefore({ folder, name, generation }) {
  const sequences = new Map()
  const open = new Map()
  for (let before = 1; before < generation; before += 1) {
    const calls = new Map()
    for (const event of eventsOf(historyFile(join(folder, 'history'), `${name}.${before}`))) {
      if (event.op === 'send' || event.op === 'prepare') {
        const { at, wall, process, kind, op, call, sum, ...facts } = event
        sequences.set(facts.key, Math.max(facts.sequence, sequences.get(facts.key) ?? 0))
        calls.set(call, facts)
        if (op === 'send') open.set(facts.id, facts)
      } else if (event.kind === 'ok' || event.kind === 'fail') {
        open.delete(calls.get(event.call)?.id)
      }
    }
  }
  return { sequences, unanswered: [...open.values()] }
}

/** The last line of a killed process may have no end. */
function eventsOf(file) {
  const lines = readFileSync(file, 'utf8').split('\n')
  lines.pop()
  return lines.map((line) => JSON.parse(line))
}
