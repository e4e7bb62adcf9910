import { lossesOf } from './losses.mjs'

/**
 * I7 atomic. A prepared message is delivered only after somebody decided to commit it (a call, or a check-back that answered commit),
 * and never once a rollback was answered ok. A committed one, and a prepared one that nobody has decided about, is not lost. Of the
 * messages of one transaction not some come and others are rolled back.
 */
export const transactions = {
  invariant: 'I7',
  watch({ book, suspect }) {
    let applies = false
    return {
      invoked(event) {
        applies ||= event.op === 'prepare'
      },
      delivered(event, message) {
        if (!message.prepared || message.stories.length > 0) return
        if (!message.commit) suspect(`${event.id} was delivered before anybody committed it`, [message.prepared, event])
      },
      end() {
        for (const { message, group, isExcused } of lossesOf(book)) {
          if (!isExcused && message.prepared) suspect(`${message.id} was ${message.commit ? 'committed' : 'prepared'} and is lost${group ? ` to ${group}` : ''}`, [message.prepared, message.ok, message.commit?.answer])
        }
        for (const parts of byTransaction()) checkParts(parts)
      },
      applies: () => applies,
    }

    function byTransaction() {
      const found = new Map()
      for (const message of book.messages()) {
        if (!message.prepared) continue
        const name = message.prepared.transaction ?? `${message.topic.name}\n${message.id}`
        found.set(name, [...(found.get(name) ?? []), message])
      }
      return found.values()
    }

    function checkParts(parts) {
      const seen = parts.find((each) => each.stories.length > 0 && each.commit)
      const undone = parts.find((each) => each.rollback?.answer?.kind === 'ok')
      const phantom = parts.find((each) => each.stories.length > 0 && each.rollback?.answer?.kind === 'ok' && each.commit)
      if (phantom) suspect(`${phantom.id} was rolled back and delivered`, [phantom.prepared, phantom.rollback.answer, phantom.stories[0].first])
      else if (seen && undone) suspect(`${seen.id} came and ${undone.id} of the same transaction was rolled back`, [seen.prepared, undone.prepared, undone.rollback.answer, seen.stories[0].first])
    }
  },
}
