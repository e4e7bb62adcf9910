import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Between a client and a server on this host: connections can fall silent, as when the other end is gone without a word. */
export class Proxy {
  readonly #to: number
  readonly #server = createServer((socket) => this.#pass(socket))
  readonly #pairs = new Set<readonly [Socket, Socket]>()

  constructor(address: string) {
    this.#to = Number(address.split(':')[1])
  }

  /** Answers the address to connect to instead. */
  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `127.0.0.1:${this.#port}`
  }

  /** Nothing passes any more on the connections that there are. New ones are whole. */
  silence(): void {
    for (const pair of this.#pairs) {
      for (const end of pair) {
        end.unpipe()
        end.resume()
      }
    }
  }

  close(): void {
    this.#server.close()
    for (const pair of this.#pairs) for (const end of pair) end.destroy()
  }

  get #port(): number {
    const address: AddressInfo | string | null = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  #pass(client: Socket): void {
    const server = connect(this.#to, '127.0.0.1')
    const pair = [client, server] as const
    this.#pairs.add(pair)
    client.pipe(server).pipe(client)
    for (const end of pair) {
      end.on('error', () => undefined)
      end.once('close', () => {
        for (const each of pair) each.destroy()
        this.#pairs.delete(pair)
      })
    }
  }
}
