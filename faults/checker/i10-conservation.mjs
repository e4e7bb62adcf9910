const endings = ['settled', 'ready', 'leased', 'retrying', 'lent', 'parked', 'dead', 'expired', 'purged']

/**
 * I10 conservation. At rest the census adds up: in every group published = settled + ready + leased + held + dead + expired + purged; it
 * says no more than was done and no less than was answered ok (sends that took a place at once, verdicts done; the lower
 * bound only without a fault that the topic does not outlive); and the metrics that were read beside it say the same.
 */
export const conservation = {
  invariant: 'I10',
  watch({ book, suspect }) {
    /** By topic, and by topic and group: how many were tried and how many answered ok. */
    const sends = new Tally()
    const verdicts = new Tally()
    return {
      invoked(event) {
        if (event.op === 'send' || event.op === 'prepare') sends.tried(event.topic)
        else if (event.op === 'settle' && event.is === 'done') verdicts.tried(`${event.topic}\n${event.group}`)
      },
      sent(answer, invoke) {
        if (answer.kind === 'fail') sends.untried(invoke.topic)
        else if (answer.kind === 'ok' && answer.offset && !answer.duplicate) sends.answered(invoke.topic, answer, answer.survives ?? book.topic(invoke.topic).survives)
      },
      settled(answer, invoke) {
        if (invoke.is !== 'done') return
        const name = `${invoke.topic}\n${invoke.group}`
        if (answer.kind === 'fail') verdicts.untried(name)
        else if (answer.kind === 'ok') verdicts.answered(name, answer, book.topic(invoke.topic).survives)
      },
      end() {
        if (!book.rest.isComplete) return
        for (const census of book.rest.census.values()) {
          bounds(census, `${census.topic} says that ${census.published} were published`, census.published, sends.of(census.topic))
          for (const group of census.groups) addsUp(census, group)
        }
        for (const metrics of book.rest.metrics) sameAs(metrics)
      },
      applies: () => book.rest.isComplete && book.rest.census.size > 0,
    }

    function addsUp(census, group) {
      if (book.group(census.topic, group.group).declared?.mode === 'broadcast') return
      const sum = endings.reduce((total, each) => total + (group[each] ?? 0), 0)
      // A group that began at the end was not there for what was published before; a seek back has messages settled twice.
      const { declared, seek } = book.group(census.topic, group.group)
      if (sum !== census.published && declared?.from !== 'end' && seek === undefined) {
        suspect(`${group.group} of ${census.topic} accounts for ${sum} of ${census.published}`, [census])
        return
      }
      bounds(census, `${group.group} of ${census.topic} says that ${group.settled} were settled`, group.settled, verdicts.of(`${census.topic}\n${group.group}`))
    }

    function bounds(census, what, count, { tried, answered, firstAt, survives }) {
      if (count > tried) suspect(`${what}, and ${tried} were tried`, [census])
      const isExcused = () => book.faults.mayHaveLost(survives ?? [], firstAt)
      if (count < answered) suspect(`${what}, and ${answered} were answered ok`, [census], isExcused)
    }

    function sameAs(metrics) {
      const census = book.rest.countsOf(metrics.topic, metrics.group)
      const differing = Object.keys(metrics.counts).find((name) => census?.[name] !== metrics.counts[name])
      if (differing) suspect(`the metrics say ${differing} ${metrics.counts[differing]} of ${metrics.group}, the census ${census?.[differing]}`, [metrics, book.rest.census.get(metrics.topic)])
    }
  },
}

class Tally {
  #counts = new Map()

  of(name) {
    let count = this.#counts.get(name)
    if (count === undefined) this.#counts.set(name, (count = { tried: 0, answered: 0, firstAt: Infinity, survives: undefined }))
    return count
  }

  tried(name) {
    this.of(name).tried += 1
  }

  untried(name) {
    this.of(name).tried -= 1
  }

  /** Keeps the weakest of what the answers survive. */
  answered(name, { at }, survives) {
    const count = this.of(name)
    count.answered += 1
    count.firstAt = Math.min(count.firstAt, at)
    if (count.survives === undefined || survives?.length < count.survives.length) count.survives = survives
  }
}
