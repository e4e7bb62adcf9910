/**
 * Which acknowledged messages have come to nothing. A message that was acknowledged owes every sharing group of its topic
 * (that was there when it was sent, or began at the start) an end: a verdict done, that was taken or may have been; a hold of that
 * group at rest, or one for all; a purge, an expiry, a cancellation, a rollback; a seek that may have skipped it. What has no end yet may
 * still be ready, leased or waiting, as many as the census says and no more. A topic without groups owes its place in the log.
 *
 * Answers `{ message, group, isExcused }`; excused when a fault may have lost it at the level at which it was acknowledged.
 */
export function lossesOf(book) {
  book.losses ??= [...book.topics()].flatMap((topic) => lossesIn(topic, book))
  return book.losses
}

function lossesIn(topic, book) {
  if (!book.rest.isComplete || !book.rest.census.has(topic.name)) return []
  const owed = [...topic.messages.values()].filter((message) => isOwed(message, book))
  const groups = [...topic.groups.values()].filter(({ declared }) => declared?.mode === 'share')
  const lost = groups.flatMap((group) => lostTo(group, topic, owed, book))
  if (groups.length === 0) {
    const stored = (message) => book.rest.isStored(topic.name, message.id) || book.rest.holdOf(topic.name, message.id) || message.gone?.has('all')
    for (const message of owed) if (!stored(message)) lost.push({ message })
  }
  return lost.map((each) => ({ ...each, isExcused: isExcused(each.message, book) }))
}

function lostTo(group, topic, owed, book) {
  const waiting = owed.filter((message) => sees(group, message) && !hasEnded(message, group, topic, book))
  if (waiting.length === 0) return []
  const counts = book.rest.countsOf(topic.name, group.name)
  const unfinished = counts === undefined ? 0 : counts.ready + counts.leased + counts.parked
  // Those that are still in the log are the likelier to be among the unfinished.
  const [gone, stored] = [[], []]
  for (const message of waiting) (book.rest.isStored(topic.name, message.id) ? stored : gone).push(message)
  return [...gone, ...stored].slice(0, Math.max(0, waiting.length - unfinished)).map((message) => ({ message, group: group.name }))
}

function isOwed(message) {
  return message.ok !== undefined && message.rollback === undefined && message.dropped === undefined
}

/** A group that begins at the end owes nothing that was sent before it was there. */
function sees({ declared }, message) {
  return declared.from === 'start' || declared.at <= message.sent.at
}

function hasEnded(message, group, topic, book) {
  if (message.gone?.has('all') || message.gone?.has(group.name)) return true
  if (book.rest.holdOf(topic.name, message.id, group.name) !== undefined) return true
  if (group.seek !== undefined && group.seek.at >= message.sent.at) return true
  return message.stories.some((story) => story.group === group.name && storyEnded(story, group))
}

function storyEnded(story, group) {
  if (story.wasDone || story.status === 'maybe' || story.purge !== undefined) return true
  return group.purge !== undefined && group.purge.at >= story.last.at
}

function isExcused(message, book) {
  const survives = message.ok.survives ?? message.topic.survives
  return book.faults.mayHaveLost(survives, message.ok.at)
}
