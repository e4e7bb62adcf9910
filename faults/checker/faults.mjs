/** The faults of a history, asked once all of them are known. Times in microseconds. */
export class Faults {
  #byNumber = new Map()
  #graceMicros

  /** `graceMs`: how long after a fault's end its effects still show: a lease must run out before another takes over. */
  constructor(graceMs) {
    this.#graceMicros = graceMs * 1_000
  }

  take(event) {
    if (event.phase === 'begin') this.#byNumber.set(event.number, { begin: event.at, end: Infinity, happened: event.happened ?? true, event })
    const fault = this.#byNumber.get(event.number)
    if (event.phase !== 'end' || fault === undefined) return
    fault.end = event.at
    fault.happened = event.happened ?? fault.happened
  }

  /** Those that really happened, by their begin. */
  get happened() {
    return [...this.#byNumber.values()].filter((fault) => fault.happened)
  }

  get #excusing() {
    return this.happened.filter(({ event }) => event.excuses !== false)
  }

  /** How many showed their effects between the two times. */
  during(from, to) {
    return this.#excusing.filter((fault) => fault.begin <= to && fault.end + this.#graceMicros >= from).length
  }

  /** What was answered at `from` and survives `survives` may rightly be gone at `to`. */
  mayHaveLost(survives, from, to = Infinity) {
    return this.happened.some(({ event, begin, end }) => (event.loses?.length ?? 0) > 0 && begin <= to && end >= from && survives?.every((level) => event.loses.includes(level)))
  }

  /** From when on something due at `dueAt` is late: waits until the faults that came before `slackMicros` were over have ended. */
  dueAfterRecovery(dueAt, slackMicros) {
    let start = dueAt
    for (const fault of this.#excusing) {
      const end = fault.end + this.#graceMicros
      if (fault.begin <= start + slackMicros && end > start) start = end
    }
    return start
  }

  /**
   * The jumps of a clock between two times: `ahead` is by how many milliseconds it may have been ahead of what it showed at the end, because one
   * clock had jumped and another had not, or because it was set back since; `lastAt` is the last one's time.
   */
  jumps(from, to) {
    const found = this.happened.filter(({ event, begin }) => event.shiftMs !== undefined && begin >= from && begin <= to)
    const shifts = found.map(({ event }) => event.shiftMs)
    const setBack = shifts.map((_, index) => -shifts.slice(index).reduce((sum, each) => sum + each, 0))
    return { count: found.length, ahead: Math.max(0, ...shifts, ...setBack), lastAt: found.at(-1)?.begin ?? -Infinity }
  }
}
