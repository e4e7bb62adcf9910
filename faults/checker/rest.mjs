/** What the store held when all was quiet: the last complete `rest` of a history. */
export class Rest {
  isComplete = false
  /** Wall clock of its end. */
  wall = 0
  census = new Map()
  metrics = []
  stored = []
  held = []
  drained = undefined
  #places = new Map()

  take(event) {
    const { of } = event
    if (of === 'begin') return new Rest()
    if (of === 'end') {
      this.isComplete = true
      this.wall = event.wall
    } else if (of === 'census') {
      this.census.set(event.topic, event)
    } else if (of === 'drained') {
      this.drained = event
    } else {
      this[of].push(event)
      if (of !== 'metrics') this.#place(event)
    }
    return this
  }

  countsOf(topic, group) {
    return this.census.get(topic)?.groups.find((each) => each.group === group)
  }

  /** How a message is held for a group, or before it has a place: the page that says so. */
  holdOf(topic, id, group) {
    const pages = this.#places.get(`${topic}\n${id}`)?.filter(({ of }) => of === 'held')
    return pages?.find((page) => page.group === group) ?? pages?.find((page) => page.group === undefined)
  }

  isStored(topic, id) {
    return this.#places.get(`${topic}\n${id}`)?.some(({ of }) => of === 'stored') ?? false
  }

  #place(event) {
    for (const { id } of event.messages) {
      const key = `${event.topic}\n${id}`
      const pages = this.#places.get(key)
      if (pages) pages.push(event)
      else this.#places.set(key, [event])
    }
  }
}
