/**
 * I5 fencing. In a group, an epoch of a partition belongs to one member; a lease that is asked for after a newer epoch was seen brings
 * nothing of an older one; and a verdict of an older lease is refused once a newer lease has the message. A verdict done of an older
 * lease that is answered ok after the newer delivery is always wrong: either it counted though it was stale, or the message
 * went out again though it was done. Any other verdict only when it was asked for after that delivery, since
 * handing back is what makes the newer one. Where epochs are not known, leases are told apart by member. A fault that the
 * topic does not outlive may turn epochs back.
 */
export const fencing = {
  invariant: 'I5',
  watch({ book, suspect }) {
    /** By topic, group, partition and epoch: who had it first. */
    const owners = new Map()
    let applies = false
    return {
      delivered(event) {
        if (!book.isShared(event)) return
        applies = true
        if (event.epoch === undefined) return
        const name = `${event.topic}\n${event.group}\n${event.partition}\n${event.epoch}`
        const owner = owners.get(name)
        const isExcused = (since) => () => book.faults.mayHaveLost(book.topic(event.topic).survives, since, event.at)
        if (owner === undefined || owner.member !== event.member) owners.set(name, event)
        if (owner !== undefined && owner.member !== event.member) {
          suspect(`epoch ${event.epoch} of partition ${event.partition} has two members in ${event.group}`, [owner, event], isExcused(owner.at))
          return
        }
        const newest = book.group(event.topic, event.group).leases.get(event.partition)
        if (newest?.epoch > event.epoch && newest.at < event.asked) suspect(`${event.group} still leased under epoch ${event.epoch} after ${newest.epoch} was there`, [newest, event], isExcused(newest.at))
      },
      settled(answer, invoke, message, story) {
        if (answer.kind !== 'ok' || !story || !book.isShared(invoke)) return
        const { last } = story
        if (last.member === invoke.member && last.epoch === invoke.epoch) return
        const seek = book.group(invoke.topic, invoke.group).seek
        const mustFollow = invoke.is !== 'done' || story.redrive !== undefined || seek?.at <= last.at
        if (mustFollow && last.at >= invoke.at) return
        const isExcused = () => book.faults.mayHaveLost(message.topic.survives, story.first.at, answer.at)
        suspect(`${invoke.id}: the verdict of an older lease counted in ${invoke.group}`, [message.sent, story.first, last, invoke, answer], isExcused)
      },
      applies: () => applies,
    }
  },
}
