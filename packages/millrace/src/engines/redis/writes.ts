import type { Millis } from '../../core/clock.js'
import { MillraceError } from '../../core/errors.js'
import type { Durability } from '../../core/message.js'
import { Calls } from './calls.js'
import type { Confirmation, Guarantees } from './durability.js'
import { asError } from './failure.js'
import { Marks } from './marks.js'
import type { Argument, RedisClient, RedisConnection, Reply, Script } from './port.js'

/** How long replicas, or the disk, may take to confirm a write. */
const confirmMs: Millis = 5_000

/** What became of a write that was answered. */
export interface Written {
  readonly reply: Reply
  readonly survives: readonly Durability[]
  /** It was stored, and what it was to survive was not confirmed. */
  readonly error?: MillraceError
}

/** A connection for writes that are confirmed. */
interface Confirming {
  readonly raw: RedisConnection & { close(): Promise<void> }
  readonly calls: Calls
  readonly marks: Marks
}

/** Scripts whose writes are confirmed as far as a level asks for it. */
export class Writes {
  readonly #client: RedisClient
  readonly #guarantees: Guarantees
  readonly #plain: Calls
  /** WAIT holds up what comes after it: such writes have a connection of their own. */
  #confirming: Promise<Confirming> | undefined

  constructor(client: RedisClient, guarantees: Guarantees) {
    this.#client = client
    this.#guarantees = guarantees
    this.#plain = new Calls(client)
  }

  /** Runs a script, tried again while the server is not up to it, and waits for what `confirmation` asks for. */
  async run(script: Script, keys: readonly [string, ...string[]], args: readonly Argument[], confirmation: Confirmation | undefined): Promise<Written> {
    if (!confirmation) return { reply: await this.#plain.run(script, keys, args), survives: this.#guarantees.plain }
    const connection = await this.#connect()
    const name = await connection.marks.of(keys[0]).catch((error: unknown) => {
      throw asError(error, 'CLIENT')
    })
    const reply = await connection.calls.run(script, keys, args)
    const error = await this.#confirm(connection, name, keys[0], confirmation)
    return error ? { reply, survives: this.#guarantees.plain, error } : { reply, survives: this.#guarantees.survives(confirmation) }
  }

  async close(): Promise<void> {
    const connection = await this.#confirming?.catch(() => undefined)
    await connection?.raw.close()
  }

  async #connect(): Promise<Confirming> {
    this.#confirming ??= this.#client.duplicate().then((raw) => ({ raw, calls: new Calls(raw), marks: new Marks(raw, this.#client.isCluster) }))
    try {
      return await this.#confirming
    } catch (error) {
      this.#confirming = undefined
      throw asError(error, 'a connection of its own')
    }
  }

  async #confirm({ raw, marks }: Confirming, name: string, key: string, { replicas, fsync }: Confirmation): Promise<MillraceError | undefined> {
    const [ask, wanted] = fsync ? ([['WAITAOF', 1, replicas, confirmMs], `the disk and ${replicas} replicas`] as const) : ([['WAIT', replicas, confirmMs], `${replicas} replicas`] as const)
    try {
      const [answer, isSame] = await Promise.all([raw.command(ask, key), marks.isStill(name, key)])
      if (!isSame) return new MillraceError('UNKNOWN_OUTCOME', `it is stored, and whether ${wanted} have it could not be asked: the connection was lost`)
      const [local, copies] = Array.isArray(answer) ? answer : [1, answer]
      if (Number(local) >= 1 && Number(copies) >= replicas) return undefined
      return new MillraceError('TIMEOUT', `it is stored, and was not confirmed by ${wanted} in ${confirmMs} ms: ${fsync ? `disk ${String(local)}, ` : ''}replicas ${String(copies)}`)
    } catch (error) {
      return new MillraceError('UNKNOWN_OUTCOME', `it is stored, and whether ${wanted} have it could not be asked: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }
}
