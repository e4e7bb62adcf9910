import type { Message } from '../../core/message.js'
import type { CursorLog } from '../../engine/cursor/cursor-log.js'

/** What of a partition has been fetched and is not finished. Places may be empty: compacted away, or a transaction's marker. */
export class FetchedLog implements CursorLog {
  readonly partition: number
  readonly #messages = new Map<number, Message>()
  #start: number
  #end: number
  #bytes = 0

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
