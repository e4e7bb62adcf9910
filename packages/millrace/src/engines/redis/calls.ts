import { asError } from './failure.js'
import type { Argument, RedisConnection, Reply, Script } from './port.js'

/** Calls of a connection whose errors are ours, with the client's as their cause. */
export class Calls implements RedisConnection {
  readonly #connection: RedisConnection

  constructor(connection: RedisConnection) {
    this.#connection = connection
  }

  async command(args: readonly [name: string, ...rest: Argument[]], key?: string): Promise<Reply> {
    try {
      return await this.#connection.command(args, key)
    } catch (error) {
      throw asError(error, args[0])
    }
  }

  async run(script: Script, keys: readonly [string, ...string[]], args: readonly Argument[]): Promise<Reply> {
    try {
      return await this.#connection.run(script, keys, args)
    } catch (error) {
      throw asError(error, script.name)
    }
  }
}
