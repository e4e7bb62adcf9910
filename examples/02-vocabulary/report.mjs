import { isDeepStrictEqual } from 'node:util'
import { timeOf } from './reviews.mjs'

/** Prints what was done. True when all is as it should be. */
export function report(expected, results, { kills, duplicates, dead, redriven, stillDead }) {
  const users = Object.values(results.statistics)
  const cards = Object.values(results.cards)
  const end = timeOf(expected.rows)
  const sum = (field) => users.reduce((total, user) => total + user[field], 0)
  const isEqual = ['statistics', 'cards', 'notices'].every((table) => isDeepStrictEqual(results[table], expected[table]))
  const areRedriven = dead > 0 && redriven === dead && stillDead === 0
  console.log(`answers: ${sum('answers')} of ${users.length} users, ${sum('correct')} correct`)
  console.log(`reviews scheduled: ${cards.length}, due when the file ends: ${cards.filter(({ due }) => due <= end).length}`)
  console.log(`dead letters: ${dead}, redriven: ${redriven}, left: ${stillDead}`)
  console.log(`kills survived: ${kills}, rows sent again were known: ${answer(duplicates > 0)}`)
  console.log(`each answer counted once by each group: ${answer(results.counted === 3 * expected.rows)}`)
  console.log(`totals equal: ${answer(isEqual)}`)
  return isEqual && areRedriven && duplicates > 0 && results.counted === 3 * expected.rows
}

function answer(is) {
  return is ? 'yes' : 'no'
}
