import type { Message } from '../../core/message.js'
import type { CursorLog } from '../../engine/cursor/cursor-log.js'

/** Above the first nothing more is to be fetched, until there are fewer than the second. */
const most = { messages: 20_000, bytes: 32 * 2 ** 20 }
const least = { messages: 10_000, bytes: 16 * 2 ** 20 }

/** What of a partition has been fetched and is not finished. Places may be empty: compacted away, or a transaction's marker. */
export class FetchedLog implements CursorLog {
  readonly partition: number
  readonly #messages = new Map<number, Message>()
  #start: number
  #end: number
  #bytes = 0
  #isFull = false

  constructor(partition: number, at: number) {
    this.partition = partition
    this.#start = at
    this.#end = at
  }

  get end(): number {
    return this.#end
  }

  /** Messages that are kept here. */
  get size(): number {
    return this.#messages.size
  }

  /** Of their values. */
  get bytes(): number {
    return this.#bytes
  }

  get isFull(): boolean {
    return this.#isFull
  }

  /** Whether to fetch more, when that has changed. */
  turn(): 'pause' | 'resume' | undefined {
    const bound = this.#isFull ? least : most
    const isFull = this.size > bound.messages || this.#bytes > bound.bytes
    if (isFull === this.#isFull) return undefined
    this.#isFull = isFull
    return isFull ? 'pause' : 'resume'
  }

  at(offset: number): Message | undefined {
    return this.#messages.get(offset)
  }

  append(message: Message): void {
    const offset = Number(message.offset)
    if (offset < this.#end) return
    this.#messages.set(offset, message)
    this.#bytes += message.value?.byteLength ?? 0
    this.#end = offset + 1
  }

  /** Nothing more comes before `next`. */
  endAt(next: number): void {
    this.#end = Math.max(this.#end, next)
  }

  /** Forgets everything before `offset`. */
  cut(offset: number): void {
    for (; this.#start < offset; this.#start += 1) {
      const message = this.#messages.get(this.#start)
      if (!message) continue
      this.#bytes -= message.value?.byteLength ?? 0
      this.#messages.delete(this.#start)
    }
  }
}
