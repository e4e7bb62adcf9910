import { createEmptyCard, fsrs, Rating } from 'ts-fsrs'

const scheduler = fsrs({ enable_fuzz: false }) // the same answers give the same reviews
const start = Date.UTC(2026, 0, 1)

/** A row a minute. */
export function timeOf(row) {
  return new Date(start + row * 60_000)
}

/** A user's card for a word after one more answer: its `due` says when to ask again. The order of the answers matters. */
export function reviewed(card, { row, correct }) {
  const now = timeOf(row)
  return scheduler.next(card ?? createEmptyCard(now), now, correct ? Rating.Good : Rating.Again).card
}
