import type { Message } from '../../core/message.js'

const chunkSize = 1_024

interface Chunk {
  readonly messages: (Message | undefined)[]
  /** For each message, the bytes of all messages before it since the partition was made. */
  readonly bytesBefore: number[]
}

/**
 * One partition's messages, found by offset, in chunks that are dropped whole as the log is cut. Offsets are numbers
 * in here and bigint at the border.
 */
export class PartitionLog {
  readonly partition: number
  #start = 0
  #end = 0
  #bytes = 0
  #firstChunk = 0
  readonly #chunks: Chunk[] = []

  constructor(partition: number) {
    this.partition = partition
  }

  /** The first message that is still there, or `end`. */
  get start(): number {
    return this.#start
  }

  /** Where the next message will be. */
  get end(): number {
    return this.#end
  }

  /** Of all messages that are still there. */
  get bytes(): number {
    return this.bytesFrom(this.#start)
  }

  /** The message's offset has to be `end`. */
  append(message: Message, bytes: number): void {
    let chunk = this.#chunks.at(-1)
    if (chunk === undefined || chunk.messages.length === chunkSize) {
      if (chunk === undefined) this.#firstChunk = Math.floor(this.#end / chunkSize)
      chunk = { messages: [], bytesBefore: [] }
      this.#chunks.push(chunk)
    }
    chunk.messages.push(message)
    chunk.bytesBefore.push(this.#bytes)
    this.#bytes += bytes
    this.#end += 1
  }

  at(offset: number): Message | undefined {
    return this.#chunks[Math.floor(offset / chunkSize) - this.#firstChunk]?.messages[offset % chunkSize]
  }

  /** Bytes of the messages from `offset` to the end. */
  bytesFrom(offset: number): number {
    if (offset >= this.#end) return 0
    return this.#bytes - (this.#chunks[Math.floor(offset / chunkSize) - this.#firstChunk]?.bytesBefore[offset % chunkSize] ?? 0)
  }

  /** Forgets everything before `offset`. */
  cut(offset: number): void {
    const to = Math.min(offset, this.#end)
    for (let each = this.#start; each < to; each += 1) {
      const messages = this.#chunks[Math.floor(each / chunkSize) - this.#firstChunk]?.messages
      if (messages) messages[each % chunkSize] = undefined
    }
    this.#start = Math.max(this.#start, to)
    while (this.#chunks.length > 0 && (this.#firstChunk + 1) * chunkSize <= this.#start) {
      this.#chunks.shift()
      this.#firstChunk += 1
    }
  }

  /** The first offset at or after `from` whose message is wanted, or `end`. */
  find(from: number, wanted: (message: Message) => boolean): number {
    for (let offset = Math.max(from, this.#start); offset < this.#end; offset += 1) {
      const message = this.at(offset)
      if (message && wanted(message)) return offset
    }
    return this.#end
  }
}
