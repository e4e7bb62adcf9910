/**
 * I11 offsets. A place, a partition and its offset, belongs to one message, by receipts, deliveries and the log alike; a send that begins
 * after another was answered gets a higher offset in the same partition; a message that was sent once is where its receipt says; the log at
 * rest is read in growing order. Answers to a duplicate name the first one's place. A fault that a receipt does not outlive may free its place.
 */
export const offsets = {
  invariant: 'I11',
  watch({ book, suspect }) {
    /** By partition: who has an offset, and the answers that were the highest when they came. */
    const partitions = new Map()
    const tops = new Map()
    let applies = false
    return {
      sent(answer, invoke) {
        if (answer.kind !== 'ok' || !answer.offset || answer.duplicate) return
        applies = true
        const name = `${invoke.topic}\n${answer.partition}`
        if (!tops.has(name)) tops.set(name, [])
        const highest = tops.get(name)
        const floor = lastBefore(highest, invoke.at)
        occupy(invoke.topic, answer.partition, answer.offset, { id: invoke.id, event: answer })
        if (floor && compare(answer.offset, floor.offset) <= 0) suspect(`${invoke.id} was sent later and has no higher offset`, [floor, invoke, answer], freed(invoke.topic, floor))
        const top = highest.at(-1)
        if (!top || compare(answer.offset, top.offset) > 0) highest.push(answer)
      },
      delivered(event, message, story) {
        if (story !== undefined) return
        occupy(event.topic, event.partition, event.offset, { id: event.id, event })
        const { ok, sends } = message
        if (ok?.offset && sends === 1 && !ok.duplicate && (ok.offset !== event.offset || ok.partition !== event.partition)) suspect(`${event.id} was delivered from another place than its receipt names`, [message.sent, ok, event], freed(event.topic, ok))
      },
      end() {
        for (const page of book.rest.stored) {
          let before
          for (const { id, offset } of page.messages) {
            if (before !== undefined && compare(offset, before) <= 0) suspect(`the log of ${page.topic} has ${offset} after ${before}`, [{ ...page, messages: page.messages.slice(0, 5) }])
            before = offset
            occupy(page.topic, page.partition, offset, { id, event: book.message({ topic: page.topic, id }).sent ?? { at: Infinity } })
          }
        }
      },
      applies: () => applies,
    }

    function occupy(topic, partition, offset, owner) {
      const name = `${topic}\n${partition}`
      let places = partitions.get(name)
      if (places === undefined) partitions.set(name, (places = new Map()))
      const before = places.get(offset)
      if (before?.id !== owner.id) places.set(offset, owner)
      if (before === undefined || before.id === owner.id) return
      suspect(`offset ${offset} of ${topic}/${partition} is ${before.id}'s and ${owner.id}'s`, [before.event, owner.event], freed(topic, before.event))
    }

    function freed(topic, event) {
      return () => book.faults.mayHaveLost(event.survives ?? book.topic(topic).survives, event.at)
    }
  },
}

/** The last of events in order that came before a time. */
function lastBefore(events, at) {
  let [low, high] = [0, events.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (events[middle].at < at) low = middle + 1
    else high = middle
  }
  return events[low - 1]
}

/** Decimal strings without leading zeros. */
function compare(one, other) {
  if (one.length !== other.length) return one.length - other.length
  if (one === other) return 0
  return one < other ? -1 : 1
}
