/** One connection through a proxy. */
export class Link {
  /** Resolves when both ends are closed. */
  ended
  #weather
  /** Something was asked since it fell silent. */
  #isAsked = false
  #client
  #server

  /** `mayLose()`: the next answer to a write is to be lost; `losing()` is told when it was. */
  constructor({ client, server, writes, weather, mayLose, losing }) {
    this.#weather = weather
    this.#client = client
    this.#server = server
    for (const socket of [client, server]) socket.setNoDelay(true).on('error', () => undefined)
    this.ended = Promise.all([client, server].map((socket) => new Promise((resolve) => socket.once('close', resolve))))
    this.#carry(client, server, (bytes) => {
      writes?.asked(bytes)
      this.#isAsked = true
      return this.#weather.isDeaf !== true
    })
    this.#carry(server, client, (bytes) => {
      const isWritten = writes?.answered(bytes) ?? false
      if (isWritten && mayLose()) {
        this.reset()
        losing()
        return false
      }
      return this.#weather.isMute !== true
    })
  }

  /** As `Proxy.set` has it. */
  set weather(weather) {
    this.#weather = weather
    this.#isAsked = false
  }

  /** Somebody waits for an answer that will not come. */
  get isWaitedFor() {
    return this.#isAsked && this.#weather.isMute === true && !this.#client.destroyed
  }

  /** Both ends see that the other has broken off. */
  reset() {
    this.#client.resetAndDestroy()
    this.#server.destroy()
  }

  /** Hands over what `from` says as long as `passes` lets it, late and slowly where the weather is so. */
  #carry(from, to, passes) {
    let free = 0
    let last = Promise.resolve()
    from.on('data', (bytes) => {
      if (!passes(bytes)) return
      const { delayMs = 0, bytesPerSecond = Infinity } = this.#weather
      const now = performance.now()
      free = Math.max(free, now) + (bytes.length / bytesPerSecond) * 1_000
      const waitMs = free - now + delayMs
      if (waitMs > 1) from.pause()
      last = last.then(() => later(waitMs)).then(() => this.#write(from, to, bytes))
    })
    from.once('end', () => void last.then(() => to.end()))
    from.once('close', (isBroken) => void last.then(() => (isBroken ? to.destroy() : to.end())))
  }

  #write(from, to, bytes) {
    if (to.destroyed) return
    if (to.write(bytes)) from.resume()
    else to.once('drain', () => from.resume())
  }
}

function later(ms) {
  return ms > 1 ? new Promise((resolve) => setTimeout(resolve, ms)) : undefined
}
