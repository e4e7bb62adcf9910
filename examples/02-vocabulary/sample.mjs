import { writeFileSync } from 'node:fs'

const words = { fruit: ['apple', 'cherry', 'lemon', 'mango', 'plum'], tools: ['anvil', 'file', 'hammer', 'lathe', 'saw'], weather: ['fog', 'hail', 'rain', 'snow', 'wind'] }
const users = Array.from({ length: 20 }, (_, index) => `user_${String(index + 1).padStart(2, '0')}`)
const rounds = 5

/** Writes a small file like the real one: each user is asked for each word in every round, and knows more each time. The same file every time. */
export function writeSample(file) {
  const random = numbersFrom(7)
  const rows = ['subj,block,item,cue,answer,response,correct']
  for (let round = 1; round <= rounds; round += 1) {
    for (const [list, answers] of Object.entries(words)) {
      for (const [item, answer] of answers.entries()) {
        for (const user of users) {
          const correct = random() < round / rounds
          rows.push(`${user},${list},${item + 1},"${list}, ${item + 1} of ${answers.length}",${answer},${correct ? answer : ''},${String(correct).toUpperCase()}`)
        }
      }
    }
  }
  writeFileSync(file, `${rows.join('\n')}\n`)
}

/** From 0 to below 1, the same ones for the same seed (mulberry32). */
function numbersFrom(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
