import { connect, type Socket } from 'node:net'
import type { SocketFactory } from './module.js'

const produceKey = 0

/** Connections to a real broker on which answers to sends get lost on the way, as many as is said. */
export class FaultySockets {
  /** The next so many requests that write records are done by the broker, and the connection breaks before the answer. */
  answersToLose = 0
  /** Those were written so far. */
  produced = 0

  readonly factory: SocketFactory = ({ host, port, onConnect }) => {
    const socket = connect({ host, port }, onConnect)
    const write = socket.write.bind(socket)
    // kafkajs writes one whole request at a time.
    socket.write = (bytes: Uint8Array | string, ...rest: never[]): boolean => {
      if (Buffer.isBuffer(bytes) && bytes.readInt16BE(4) === produceKey) this.#lose(socket)
      return write(bytes, ...rest)
    }
    return socket
  }

  #lose(socket: Socket): void {
    this.produced += 1
    if (this.answersToLose <= 0) return
    this.answersToLose -= 1
    for (const listener of socket.listeners('data')) socket.off('data', listener as (bytes: Buffer) => void)
    socket.once('data', () => socket.destroy(new Error('the line broke')))
  }
}
