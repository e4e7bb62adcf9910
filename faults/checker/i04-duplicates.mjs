/**
 * I4 bounded duplicates. A message comes again to a group without being asked for (by a verdict retry, back or lent, a redrive, a
 * seek, or a clean hand-over) only if it was in flight at a fault: delivered, without a verdict that was taken, while a fault
 * that happened showed its effects. A message is in the log at most once for each call to send it that did not fail, and once where
 * it has a dedup id; a place that nobody was told of survives only what the topic says of those. What comes again after a verdict done is I8's. Every unasked delivery counts as `duplicated`, allowed or not.
 */
export const duplicates = {
  invariant: 'I4',
  watch({ book, suspect }) {
    let deliveries = 0
    return {
      delivered(event, message, story) {
        deliveries += 1
        if (!book.isShared(event)) return
        if (story === undefined) secondPlace(event, message)
        else if (story.status !== 'done' || book.isStale(event, story)) again(event, message, story)
        else if (book.reasonToComeAgain(story) !== 'asked for') book.duplicated += 1
      },
      applies: () => deliveries > 0,
    }

    function again(event, message, story) {
      if (!book.isStale(event, story) && book.reasonToComeAgain(story) !== undefined) return
      book.duplicated += 1
      const { last, first, verdict } = story
      const from = book.isStale(event, story) ? Math.min(event.asked ?? first.at, first.at) : last.at
      const isExcused = () => book.faults.during(from, event.at) > 0
      suspect(`${event.id} came to ${event.group} again and no fault explains it`, [message.sent, last, verdict?.answer, event], isExcused)
    }

    function secondPlace(event, message) {
      const places = message.stories.filter((each) => each.group === event.group)
      if (places.length === 0) return
      book.duplicated += 1
      const unconfirmed = isAcknowledged(message, places) ? undefined : message.topic.unconfirmed
      const survives = unconfirmed ?? message.ok?.survives ?? message.topic.survives
      const isLost = () => book.faults.mayHaveLost(survives, message.sent.at, event.at)
      const isExcused = () => (message.dedup ? isLost() : message.sends - message.failed > places.length || (unconfirmed !== undefined && isLost()))
      suspect(`${event.id} is in the log more often than ${message.dedup ? 'its dedup id allows' : 'it was sent'}`, [message.sent, places[0].first, event], isExcused)
    }
  },
}

/** Somebody was told of one of these places. */
function isAcknowledged({ ok }, places) {
  return places.some(({ partition, offset }) => ok?.partition === partition && ok.offset === offset)
}
