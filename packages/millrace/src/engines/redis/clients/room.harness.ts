import type { RedisClient } from '../port.js'
import { clientOf } from './index.js'
import type { Library, Made } from './libraries.harness.js'
import { type OwnRedis, ownRedis, type Wanted } from './servers.harness.js'

/** A server, and the clients of the library that a test makes to it. */
export class Room {
  readonly library: Library
  readonly #wanted: Wanted
  readonly #made: Made[]
  #missing: string | undefined
  redis: OwnRedis | undefined

  constructor(library: Library, wanted: Wanted, made: Made[]) {
    this.library = library
    this.#wanted = wanted
    this.#made = made
  }

  async open(): Promise<void> {
    this.#missing = this.#wanted.topology === 'sentinel' ? this.library.noSentinels : undefined
    if (this.#missing !== undefined) return
    const redis = await ownRedis(this.#wanted)
    if ('missing' in redis) this.#missing = redis.missing
    else this.redis = redis
  }

  async close(): Promise<void> {
    await this.redis?.stop()
  }

  /** A server that is there, else the test is skipped with the reason. */
  server(context: { skip(why: string): never }): OwnRedis {
    return this.redis ?? context.skip(this.#missing ?? 'it has not started')
  }

  async handedIn(context: { skip(why: string): never }, url?: string): Promise<unknown> {
    const redis = this.server(context)
    const made = await this.#make(redis, url ?? redis.url)
    this.#made.push(made)
    return made.client
  }

  async client(context: { skip(why: string): never }, deadlineMs?: number, url?: string): Promise<RedisClient> {
    return clientOf(await this.handedIn(context, url), deadlineMs === undefined ? {} : { deadlineMs })
  }

  /** The user ends what was handed in. */
  async end(): Promise<void> {
    await Promise.all(this.#made.splice(0).map((each) => each.end()))
  }

  #make(redis: OwnRedis, url: string): Promise<Made> {
    if (this.#wanted.topology === 'cluster') return this.library.cluster(redis.addresses)
    const { sentinels, primaryName } = redis
    return sentinels === undefined || primaryName === undefined ? this.library.standalone(url) : this.library.sentinel({ sentinels, primaryName })
  }
}
