/**
 * I9 poison. A message sent as poison with `attempts` comes to a group that often (redriven: that often again; what was handed back
 * cleanly does not count), then it is a dead letter, neither earlier nor never. A delivery that a killed process did not live to write
 * down is missing from the count, so too few, where no verdict asked for the end,
 * are excused by a fault after the last one that is not its own doing. And
 * its neighbours go on: without a fault since it was delivered nobody else becomes a dead letter that no verdict asked for.
 */
export const poison = {
  invariant: 'I9',
  watch({ book, suspect }) {
    const counts = new Map()
    let applies = false
    return {
      invoked(event) {
        applies ||= event.op === 'send' && event.poison !== undefined
      },
      delivered(event, message, story) {
        const { poison: how, attempts } = message.sent ?? {}
        if (how === undefined || attempts === undefined || !book.isShared(event) || story === undefined || book.isStale(event, story)) return
        const isCounted = story.ended?.is !== 'back' && book.reasonToComeAgain(story) !== 'handed over'
        const isRedriven = [story.redrive, book.group(event.topic, event.group).redrive].some((redrive) => redrive?.at >= story.last.at)
        const count = (isRedriven ? 0 : (counts.get(story) ?? 1)) + (isCounted ? 1 : 0)
        counts.set(story, count)
        if (count > attempts || event.attempt > attempts) suspect(`${event.id} came to ${event.group} for the ${count}. time of ${attempts}`, [message.sent, story.last, event], () => book.faults.mayHaveLost(message.topic.survives, story.first.at, event.at))
      },
      end() {
        if (!book.rest.isComplete) return
        for (const message of book.messages()) for (const story of message.stories) endOf(message, story)
      },
      applies: () => applies,
    }

    function endOf(message, story) {
      if (!book.isShared(story.first) || story.redrive || book.group(message.topic.name, story.group).redrive) return
      const { poison: how, attempts } = message.sent ?? {}
      const isDead = book.rest.holdOf(message.topic.name, message.id, story.group)?.why === 'dead'
      if (how === undefined) {
        if (isDead && !story.isAskedDead) suspect(`${message.id} is a dead letter of ${story.group} and nothing asked for it`, [message.sent, story.last], () => book.faults.during(story.first.at, Infinity) > 0)
        return
      }
      if (attempts === undefined || story.purge || message.gone) return
      if (!isDead && story.status === 'done') suspect(`${message.id} is poison and ended as done in ${story.group}`, [message.sent, story.last])
      const own = how === 'exits' ? 1 : 0
      const isShort = isDead && story.last.attempt < attempts
      if (isShort) suspect(`${message.id} is a dead letter of ${story.group} after ${story.last.attempt} of ${attempts} deliveries`, [message.sent, story.last], () => !story.isAskedDead && book.faults.during(story.last.at, Infinity) > own)
    }
  },
}
