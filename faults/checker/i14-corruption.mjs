/**
 * I14 corruption is detected and reported, never skipped. Every fault that damages has a `report` after it: the store said so, or all was
 * read back and is whole. And a value that is delivered, or read from the log, has the sum that it was sent with. Needs a fault that
 * damages, or sums.
 */
export const corruption = {
  invariant: 'I14',
  watch({ book, suspect }) {
    const reports = new Map()
    let hasSums = false
    return {
      report(event) {
        reports.set(event.number, event)
      },
      delivered(event, message) {
        if (event.sum !== undefined) compare(event.sum, message, 'delivered', event)
      },
      end() {
        for (const { event } of damages()) {
          if (!reports.has(event.number)) suspect(`${event.fault} ${event.number} damaged ${event.on ?? 'the store'} and nobody noticed`, [event])
        }
        for (const { topic, messages } of book.rest.stored) {
          for (const { id, sum } of messages) if (sum !== undefined) compare(sum, book.message({ topic, id }), 'in the log')
        }
      },
      applies: () => hasSums || damages().length > 0,
    }

    function damages() {
      return book.faults.happened.filter(({ event }) => event.damages)
    }

    function compare(sum, { id, sent }, where, event) {
      if (sent?.sum === undefined) return
      hasSums = true
      if (sent.sum !== sum) suspect(`${id} is ${where} with another value than it was sent with`, [sent, event])
    }
  },
}
