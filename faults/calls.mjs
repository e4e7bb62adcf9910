/** The calls of a history: how long the longest took that was answered. */
export class Calls {
  longestMs = 0
  #open = new Map()

  take({ kind, process, call, at }) {
    const name = `${process} ${call}`
    if (kind === 'invoke') this.#open.set(name, at)
    if (kind !== 'ok' && kind !== 'fail' && kind !== 'info') return
    this.longestMs = Math.max(this.longestMs, Math.round((at - this.#open.get(name)) / 1_000))
    this.#open.delete(name)
  }
}
