const none = { answers: 0, correct: 0, lists: {} }

/** A user's statistics with one more answer in them. */
export function withAnswer(statistics = none, { list, correct }) {
  return { ...tally(statistics, correct), lists: { ...statistics.lists, [list]: tally(statistics.lists[list], correct) } }
}

function tally({ answers, correct } = none, isCorrect) {
  return { answers: answers + 1, correct: correct + (isCorrect ? 1 : 0) }
}
