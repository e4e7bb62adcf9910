/**
 * I2 no phantom. What is delivered, or is in the log at rest, was sent: at least one call to send it did not fail. Its key and
 * its sequence are those that were sent (its value is I14's).
 */
export const noPhantom = {
  invariant: 'I2',
  watch({ book, suspect }) {
    let deliveries = 0
    return {
      delivered(event, message) {
        deliveries += 1
        const { sent } = message
        if (sent && (sent.key !== event.key || sent.sequence !== event.sequence)) suspect(`${event.id} was delivered with another key or sequence than it was sent with`, [sent, event])
        else if (!sent && message.stories.length === 0) suspect(`${event.id} was delivered and nobody had sent it`, [event])
      },
      end() {
        for (const message of book.messages()) {
          const [story] = message.stories
          if (message.sent && story && message.failed >= message.sends) suspect(`${message.id} was delivered though every call to send it failed`, [message.sent, story.first])
        }
        for (const page of book.rest.stored) {
          for (const { id } of page.messages) {
            const { sent, sends, failed, stories } = book.message({ topic: page.topic, id })
            if (stories.length === 0 && failed >= sends) suspect(`${id} is in the log and ${sent ? 'every call to send it failed' : 'nobody sent it'}`, [sent])
          }
        }
      },
      applies: () => deliveries > 0,
    }
  },
}
