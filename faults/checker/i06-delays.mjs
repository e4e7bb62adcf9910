import { lossesOf } from './losses.mjs'

/**
 * I6 delay. A message with a due time, from its send or from a verdict retry, is not delivered early by the wall clock of who gets it
 * (`earlyMs` for rounding, and as far as a clock jumped ahead meanwhile); it is delivered at most `lateMs` after it is due, or after
 * the faults that were in the way have ended and their grace is over; a jump of the clock begins the wait anew. None is lost, none
 * is still held at rest long after its time, and one whose cancellation was answered ok never comes.
 */
export const delays = {
  invariant: 'I6',
  watch({ book, suspect, options }) {
    let applies = false
    return {
      invoked(event) {
        applies ||= event.due !== undefined
      },
      delivered(event, message, story) {
        const isRetry = story?.status === 'retry' && !book.isStale(event, story) && story.redrive === undefined && !(book.group(event.topic, event.group).seek?.at >= story.last.at)
        const isFirst = story === undefined && message.due !== undefined && message.stories.every((each) => each.group !== event.group)
        if (isRetry && story.verdict.invoke.until !== undefined) timely(event, message, [story.verdict.invoke.until], story.verdict)
        else if (isFirst) timely(event, message, [message.due, message.otherDue ?? message.due], { invoke: message.sent, answer: message.ok })
      },
      end() {
        for (const { message, group, isExcused } of lossesOf(book)) {
          if (!isExcused && !message.prepared && message.due !== undefined) suspect(`${message.id} was delayed and is lost${group ? ` to ${group}` : ''}`, [message.sent, message.ok])
        }
        for (const { id, sent, dropped, stories } of book.messages()) {
          if (stories.length > 0 && dropped?.answer?.kind === 'ok') suspect(`${id} was cancelled and came`, [sent, dropped.answer, stories[0].first])
        }
        for (const page of book.rest.held) overdue(page)
      },
      applies: () => applies,
    }

    /** Of several dues, while nobody knows whether a reschedule has happened, the earliest and the latest count. */
    function timely(event, message, dues, { invoke, answer }) {
      applies = true
      const earlyMs = Math.min(...dues) - event.wall - options.earlyMs
      const events = invoke === message.sent ? [invoke, event] : [message.sent, invoke, event]
      if (earlyMs > 0) {
        suspect(`${event.id} came ${earlyMs} ms early to ${event.group}`, events, () => book.faults.jumps(invoke.at, event.at).ahead >= earlyMs)
        return
      }
      const due = Math.max(...dues)
      const slack = options.lateMs * 1_000
      const dueAt = event.at - (event.wall - due) * 1_000
      if (event.at - dueAt <= slack) return
      const isExcused = () => event.at - book.faults.dueAfterRecovery(Math.max(dueAt, answer?.at ?? 0, book.faults.jumps(invoke.at, event.at).lastAt), slack) <= slack
      suspect(`${event.id} came ${event.wall - due} ms late to ${event.group}`, events, isExcused)
    }

    function overdue({ why, group, topic, messages, ...page }) {
      if (why !== 'delay' && why !== 'retry') return
      for (const { id, until } of messages) {
        if (until !== 'decided' && book.rest.wall - until > options.lateMs) suspect(`${id} is still held at rest, ${book.rest.wall - until} ms after its time${group ? `, for ${group}` : ''}`, [book.message({ topic, id }).sent, page])
      }
    }
  },
}
