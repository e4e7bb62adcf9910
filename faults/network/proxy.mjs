import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { Link } from './link.mjs'

/**
 * Stands between clients and a server on this host, and spoils what goes through it. `writes` makes, for each connection, an object that
 * tells answers to writes from others: `asked(bytes)` sees what the client says, `answered(bytes)` what the server does, and is true when an answer to a write is in it.
 */
export class Proxy {
  #server = createServer({ allowHalfOpen: true }, (client) => this.#link(client))
  #links = new Set()
  #writes
  #target
  #isCut = false
  #weather = {}
  #losing

  constructor({ writes } = {}) {
    this.#writes = writes
  }

  get port() {
    return this.#server.address().port
  }

  get links() {
    return [...this.#links]
  }

  async listen() {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** Where the server listens. */
  to(port) {
    this.#target = port
  }

  /** The network is gone: connections end by a reset, and new ones too, until `mend`. */
  cut() {
    this.#isCut = true
    return this.reset()
  }

  /** Every connection ends by a reset; new ones are let through. Answers how many there were. */
  reset() {
    const { links } = this
    for (const link of links) link.reset()
    return links.length
  }

  /** From now on, for those there are and for new ones: `delayMs` on each way, `bytesPerSecond`, `isDeaf` (what clients say gets lost), `isMute` (what the server says does). */
  set(weather) {
    this.#weather = weather
    for (const link of this.#links) link.weather = weather
  }

  /** New connections are as they should be. Those there are stay as they have become, where `isForAll` is false. */
  mend({ isForAll = true } = {}) {
    this.#isCut = false
    this.#weather = {}
    if (isForAll) this.set({})
  }

  /** Resolves once an answer to a write was on its way back and its connection ended instead; `cancel` gives up. */
  loseAnswer() {
    let resolve
    const lost = new Promise((done) => (resolve = done))
    this.#losing = () => {
      this.#losing = undefined
      resolve(true)
    }
    const cancel = () => {
      this.#losing = undefined
      resolve(false)
    }
    return { lost, cancel }
  }

  async close() {
    this.reset()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #link(client) {
    if (this.#isCut) {
      client.on('error', () => undefined).resetAndDestroy()
      return
    }
    const link = new Link({ client, server: connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true }), writes: this.#writes?.(), weather: this.#weather, losing: () => this.#losing?.(), mayLose: () => this.#losing !== undefined })
    this.#links.add(link)
    void link.ended.then(() => this.#links.delete(link))
  }
}
