/**
 * I3 key order. The first deliveries of a key's messages in a group grow strictly by sequence, its producer's count. Left out,
 * because they take their place later: delayed and prepared messages, redriven ones, and those that their producer sent out of turn, as
 * a resend after a later one was sent. After a seek a group begins anew. An observation under an epoch that was over
 * when it was written comes from a stopped process and tells nothing of the order.
 */
export const keyOrder = {
  invariant: 'I3',
  watch({ book, suspect }) {
    /** By topic and key: the highest sequence sent. */
    const sent = new Map()
    /** By topic, group and key: the highest first delivery. */
    const reached = new Map()
    const outOfTurn = new Set()
    let applies = false
    return {
      invoked(event, message) {
        if ((event.op !== 'send' && event.op !== 'prepare') || event.key === null) return
        const key = `${event.topic}\n${event.key}`
        const highest = sent.get(key)
        if (highest !== undefined && event.sequence < highest) outOfTurn.add(message)
        else sent.set(key, event.sequence)
      },
      delivered(event, message) {
        if (event.key === null || !book.isShared(event) || message.stories.some((each) => each.group === event.group)) return
        const group = book.group(event.topic, event.group)
        if (message.due !== undefined || message.prepared || message.redriven || outOfTurn.has(message) || group.leases.get(event.partition)?.epoch > event.epoch) return
        applies = true
        const key = `${event.topic}\n${event.group}\n${event.key}`
        const before = reached.get(key)
        if (before === undefined || before.sequence < event.sequence || group.seek?.at >= before.at) reached.set(key, event)
        else suspect(`${event.group} had ${event.sequence} of key ${event.key} after ${before.sequence}`, [message.sent, before, event])
      },
      applies: () => applies,
    }
  },
}
