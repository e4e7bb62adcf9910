/**
 * I8 ack sticks. Once a verdict done was answered ok, the message does not come to that group again, unless a seek or a redrive
 * asked for it or a fault that the topic does not outlive may have undone the verdict. An observation of an older
 * lease that a stopped process writes down later is not a delivery after the verdict.
 */
export const acks = {
  invariant: 'I8',
  watch({ book, suspect }) {
    let applies = false
    return {
      settled(answer, invoke) {
        applies ||= answer.kind === 'ok' && invoke.is === 'done'
      },
      delivered(event, message, story) {
        if (story?.status !== 'done' || !book.isShared(event) || book.isStale(event, story) || book.reasonToComeAgain(story) === 'asked for') return
        const { invoke, answer } = story.verdict
        const isExcused = () => book.faults.mayHaveLost(message.topic.survives, answer.at, event.at)
        suspect(`${event.id} was done in ${event.group} and came again`, [message.sent, story.last, invoke, answer, event], isExcused)
      },
      applies: () => applies,
    }
  },
}
