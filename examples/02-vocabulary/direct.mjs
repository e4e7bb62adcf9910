import { answers, answersIn } from './answers.mjs'
import { Postbox } from './postbox.mjs'
import { reviewed } from './reviews.mjs'
import { withAnswer } from './statistics.mjs'

/** What the groups must come to: one loop over the file, without a queue. */
export async function directly(file) {
  const postbox = new Postbox({ isRepaired: false })
  const [statistics, cards, notices] = [{}, {}, {}]
  let [rows, dead] = [0, 0]
  for await (const answer of answersIn(file)) {
    const { user } = answer
    const card = answers.key(answer)
    statistics[user] = withAnswer(statistics[user], answer)
    cards[card] = reviewed(cards[card], answer)
    notices[user] = (notices[user] ?? 0) + 1
    if (!postbox.canReach(user)) dead += 1
    rows += 1
  }
  return { rows, dead, statistics, cards, notices }
}
