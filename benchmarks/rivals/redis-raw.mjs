import { clientOf, Redis } from '../redis-place.mjs'
import { inLanes } from '../workload.mjs'

// The clients bare: what a program would write that needs no more than streams.

const readAtOnce = 500

/** @typedef {{ key: string, value: Uint8Array }} Item */

/** ioredis, or iovalkey, which is the same. */
export class RawStreams {
  /** Gathers the calls of a turn. */
  #auto
  #plain

  /** @param {string} url @param {typeof Redis} [Client] */
  constructor(url, Client = Redis) {
    this.#auto = new Client(url, { enableAutoPipelining: true })
    this.#plain = new Client(url)
  }

  /** Each caller awaits one XADD after another. @param {readonly string[]} streams @param {readonly Item[]} items @param {number} callers */
  singles(streams, items, callers) {
    return inLanes(items.length, callers, (index) => this.#auto.xadd(streams[index % streams.length] ?? '', '*', 'value', bufferOf(items[index]), 'key', items[index]?.key ?? ''))
  }

  /** Pipelines of `size`, so many under way. @param {readonly string[]} streams @param {readonly Item[]} items @param {number} size @param {number} underWay */
  batches(streams, items, size, underWay) {
    return inLanes(items.length / size, underWay, async (batch) => {
      const pipeline = this.#plain.pipeline()
      for (let index = batch * size; index < (batch + 1) * size; index += 1) pipeline.xadd(streams[index % streams.length] ?? '', '*', 'value', bufferOf(items[index]), 'key', items[index]?.key ?? '')
      for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error
    })
  }

  /**
   * A group reads all of the streams, each message through `handle`, and acknowledges.
   * @param {readonly string[]} streams @param {string} group @param {(entry: any) => Promise<unknown>} handle @param {number} [count] at once
   */
  async drain(streams, group, handle, count = readAtOnce) {
    const client = this.#plain
    await Promise.all(streams.map((stream) => client.xgroup('CREATE', stream, group, '0')))
    await Promise.all(streams.map(async (stream) => {
      let acknowledged = Promise.resolve(0)
      for (;;) {
        const reply = /** @type {any} */ (await client.callBuffer('XREADGROUP', ['GROUP', group, 'one', 'COUNT', count, 'STREAMS', stream, '>']))
        // A list of pairs, or a map, which comes flat.
        const entries = (Buffer.isBuffer(reply?.[0]) ? reply[1] : reply?.[0]?.[1]) ?? []
        await Promise.all(entries.map(handle))
        await acknowledged
        // On its way while the next are read.
        if (entries.length > 0) acknowledged = client.xack(stream, group, ...entries.map((/** @type {any} */ [id]) => id))
        else break
      }
      await acknowledged
    }))
    await Promise.all(streams.map((stream) => client.xgroup('DESTROY', stream, group)))
  }

  /** @param {readonly string[]} keys */
  async remove(keys) {
    await this.#plain.unlink(...keys)
  }

  async close() {
    this.#auto.disconnect()
    this.#plain.disconnect()
  }
}

/** node-redis, which gathers by itself. */
export class RawNodeRedis {
  #client

  /** @param {any} client */
  constructor(client) {
    this.#client = client
  }

  /** @param {string} url */
  static async open(url) {
    return new RawNodeRedis(await clientOf('redis', url))
  }

  /** @param {readonly string[]} streams @param {readonly Item[]} items @param {number} callers */
  singles(streams, items, callers) {
    return inLanes(items.length, callers, (index) => this.#client.sendCommand(['XADD', streams[index % streams.length], '*', 'value', bufferOf(items[index]), 'key', items[index]?.key]))
  }

  async close() {
    await this.#client.close()
  }
}

/** @param {Item | undefined} item */
function bufferOf(item) {
  const { value } = item ?? { value: new Uint8Array() }
  return Buffer.isBuffer(value) ? value : Buffer.from(value)
}
