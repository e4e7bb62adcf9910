import { isDeepStrictEqual } from 'node:util'
import { timeOf } from './reviews.mjs'

/** Prints what was done. True when all is as it should be. */
export function report(expected, results, { kills, duplicates, dead, redriven, left }) {
  const users = Object.values(results.statistics)
  const cards = Object.values(results.cards)
  const end = timeOf(expected.rows)
  const counts = [sum(users, ({ answers }) => answers), sum(cards, ({ reps }) => reps), sum(Object.values(results.notices), (count) => count)]
  const isOnce = counts.every((count) => count === expected.rows)
  const isEqual = ['statistics', 'cards', 'notices'].every((table) => isDeepStrictEqual(results[table], expected[table]))
  const isKnown = duplicates > 0
  console.log(`answers: ${expected.rows} of ${users.length} users, ${sum(users, ({ correct }) => correct)} correct`)
  console.log(`reviews scheduled: ${cards.length}, due when the file ends: ${cards.filter(({ due }) => due <= end).length}`)
  console.log(`dead letters: ${dead}, redriven: ${redriven}, left: ${left}`)
  console.log(`kills survived: ${kills}, rows sent again were known: ${answer(isKnown)}`)
  console.log(`each answer counted once by each group: ${answer(isOnce)}`)
  console.log(`totals equal: ${answer(isEqual)}`)
  return isEqual && isOnce && isKnown && isDeepStrictEqual([dead, redriven, left], [expected.dead, expected.dead, 0])
}

function sum(items, of) {
  return items.reduce((total, each) => total + of(each), 0)
}

function answer(is) {
  return is ? 'yes' : 'no'
}
