import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { SocketFactory } from './module.js'

const keepAliveMs = 60_000

/** The sockets that kafkajs has open, so that they can be ended at once: its own way waits for answers that may never come. */
export class Sockets {
  readonly #open = new Set<Socket>()
  readonly #make: SocketFactory
  #closed = false

  constructor(make: SocketFactory = socket) {
    this.#make = make
  }

  readonly factory: SocketFactory = (asked) => {
    if (this.#closed) throw new Error('the client is closed')
    const made = this.#make(asked)
    this.#open.add(made)
    made.once('close', () => this.#open.delete(made))
    return made
  }

  /** kafkajs hears of an `error`, not of a `close`. */
  destroy(): void {
    this.#closed = true
    for (const each of this.#open) each.destroy(new Error('the client is closed'))
  }
}

const socket: SocketFactory = ({ host, port, ssl, onConnect }) => {
  const made = ssl === undefined || ssl === null || ssl === false ? connectPlain({ host, port }, onConnect) : connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...(ssl === true ? {} : ssl) }, onConnect)
  made.setNoDelay(true)
  return made.setKeepAlive(true, keepAliveMs)
}
