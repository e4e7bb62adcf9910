import type { Message } from '../../core/message.js'
import type { CursorLog } from '../../engine/cursor/cursor-log.js'

/** Above the first nothing more is to be fetched, until there are fewer than the second. */
const most = { messages: 20_000, bytes: 32 * 2 ** 20 }
const least = { messages: 10_000, bytes: 16 * 2 ** 20 }
/** So many forgotten places are kept before the rest moves up. */
const slack = 1_024

/** What of a partition has been fetched and is not finished. Places may be empty: compacted away, or a transaction's marker. */
export class FetchedLog implements CursorLog {
  readonly partition: number
  /** By offset, from `#head` on; those before are forgotten. */
  #messages: (Message | undefined)[] = []
  #offsets: number[] = []
  #head = 0
  #end: number
  #bytes = 0
  #isFull = false

  constructor(partition: number, at: number) {
    this.partition = partition
    this.#end = at
  }

  get end(): number {
    return this.#end
  }

  /** Messages that are kept here. */
  get size(): number {
    return this.#messages.length - this.#head
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
    const offsets = this.#offsets
    let low = this.#head
    // Empty places only bring it nearer to the head.
    let high = Math.min(low + offset - (offsets[low] ?? Infinity), offsets.length - 1)
    if (offsets[high] === offset) return this.#messages[high]
    while (low <= high) {
      const middle = (low + high) >> 1
      const found = offsets[middle] ?? Infinity
      if (found === offset) return this.#messages[middle]
      if (found < offset) low = middle + 1
      else high = middle - 1
    }
    return undefined
  }

  append(message: Message): void {
    const offset = Number(message.offset)
    if (offset < this.#end) return
    this.#messages.push(message)
    this.#offsets.push(offset)
    this.#bytes += message.value?.byteLength ?? 0
    this.#end = offset + 1
  }

  /** Nothing more comes before `next`. */
  endAt(next: number): void {
    this.#end = Math.max(this.#end, next)
  }

  /** Forgets everything before `offset`. */
  cut(offset: number): void {
    for (; (this.#offsets[this.#head] ?? Infinity) < offset; this.#head += 1) {
      this.#bytes -= this.#messages[this.#head]?.value?.byteLength ?? 0
      this.#messages[this.#head] = undefined
    }
    if (this.#head >= slack && this.#head * 2 >= this.#offsets.length) this.#moveUp()
  }

  #moveUp(): void {
    this.#messages = this.#messages.slice(this.#head)
    this.#offsets = this.#offsets.slice(this.#head)
    this.#head = 0
  }
}
