/** How long messages wait in a history: what a group feels of a fault. */
export class Waits {
  /** By topic and id: when it was acknowledged. Delayed and prepared ones wait on purpose. */
  #acknowledged = new Map()
  #sends = new Map()
  /** By group, topic and id: those that have come. */
  #come = new Set()
  #waitedMicros = 0
  /** By group: since when a fault is over and nothing has come. */
  #over = new Map()
  #groups = new Set()
  #backMicros

  take(event) {
    const { kind, at } = event
    if (kind === 'group') this.#groups.add(`${event.topic}\n${event.group}`)
    else if (kind === 'invoke' && event.op === 'send' && event.due === undefined) this.#sends.set(`${event.process} ${event.call}`, `${event.topic}\n${event.id}`)
    else if (kind === 'ok') this.#acknowledge(event)
    else if (kind === 'delivered') this.#delivered(event)
    else if (kind === 'fault' && event.phase === 'end' && event.happened) for (const group of this.#groups) this.#over.set(group, at)
    else if (kind === 'fault' && event.phase === 'begin') this.#over.clear()
  }

  /** `waitedMs`: the longest from an acknowledgement to the message's first delivery in a group; `backMs`: the longest from a fault's end to a group's next delivery, null where none was seen. */
  found() {
    return { waitedMs: Math.round(this.#waitedMicros / 1_000), backMs: this.#backMicros === undefined ? null : Math.round(this.#backMicros / 1_000) }
  }

  #acknowledge({ process, call, at }) {
    const send = this.#sends.get(`${process} ${call}`)
    if (send !== undefined && !this.#acknowledged.has(send)) this.#acknowledged.set(send, at)
  }

  #delivered({ topic, group, id, at }) {
    const name = `${topic}\n${group}`
    const over = this.#over.get(name)
    if (over !== undefined) {
      this.#backMicros = Math.max(this.#backMicros ?? 0, at - over)
      this.#over.delete(name)
    }
    const came = `${group}\n${topic}\n${id}`
    if (this.#come.has(came)) return
    this.#come.add(came)
    const acknowledged = this.#acknowledged.get(`${topic}\n${id}`)
    if (acknowledged !== undefined) this.#waitedMicros = Math.max(this.#waitedMicros, at - acknowledged)
  }
}
