import { randomUUID } from 'node:crypto'
import { tagOf } from './clients/slots.js'
import type { RedisConnection } from './port.js'

/**
 * Knows a connection again. Clients make a lost one anew by themselves and ask there what had no answer, and WAIT asked on a new connection has nothing to wait for. So a connection is
 * given a name that no other ever had: one that has it still is the same.
 */
export class Marks {
  readonly #connection: RedisConnection
  readonly #isCluster: boolean
  readonly #prefix = `millrace-${randomUUID()}-`
  /** By tag, for in a cluster each has a connection that it shares with others. */
  readonly #names = new Map<string, Promise<string>>()
  #last: Promise<unknown> = Promise.resolve()
  #count = 0

  constructor(connection: RedisConnection, isCluster: boolean) {
    this.#connection = connection
    this.#isCluster = isCluster
  }

  /** The name of the connection that has this key. */
  of(key: string): Promise<string> {
    const tag = this.#tagOf(key)
    const known = this.#names.get(tag)
    if (known) return known
    const name = this.#last.then(() => this.#give(key))
    this.#last = name.catch(() => undefined)
    this.#names.set(tag, name)
    name.catch(() => this.#forget(tag, name))
    return name
  }

  /** Whether the connection that has this key has been the same since it was given the name. */
  async isStill(name: string, key: string): Promise<boolean> {
    const known = this.#names.get(this.#tagOf(key))
    if ((await this.#ask(key)) === name) return true
    if (known) this.#forget(this.#tagOf(key), known)
    return false
  }

  async #give(key: string): Promise<string> {
    const given = await this.#ask(key)
    if (given.startsWith(this.#prefix)) return given
    const name = `${this.#prefix}${(this.#count += 1)}`
    await this.#connection.command(['CLIENT', 'SETNAME', name], key)
    return name
  }

  async #ask(key: string): Promise<string> {
    const answer = await this.#connection.command(['CLIENT', 'GETNAME'], key)
    return answer === null ? '' : String(answer)
  }

  #forget(tag: string, name: Promise<string>): void {
    if (this.#names.get(tag) === name) this.#names.delete(tag)
  }

  #tagOf(key: string): string {
    return this.#isCluster ? tagOf(key) : ''
  }
}
