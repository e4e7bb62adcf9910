import type { Message } from '../../core/message.js'
import type { CursorLog, SparsePlaces } from '../../engine/cursor/cursor-log.js'

const compactFrom = 1_024

/** What of a partition was read and is not finished. Bodies go as soon as they are finished, their places once all before them are. */
export class SparseLog implements CursorLog {
  readonly partition: number
  readonly sparse: SparsePlaces = { next: (place) => this.#offsets[this.#indexFrom(place)] ?? this.#end, count: (place) => this.#offsets.length - this.#indexFrom(place) }
  #offsets: number[] = []
  #messages: (Message | undefined)[] = []
  /** Everything before it was cut. */
  #head = 0
  /** Where it was looked last. */
  #near = 0
  #end: number
  #last: number | undefined
  #appended = 0
  #bytes = 0

  constructor(partition: number, at: number) {
    this.partition = partition
    this.#end = at
  }

  get end(): number {
    return this.#end
  }

  /** The last message that was read. */
  get last(): number | undefined {
    return this.#last
  }

  /** How many were read in all. */
  get appended(): number {
    return this.#appended
  }

  /** Of the values that are kept. */
  get bytes(): number {
    return this.#bytes
  }

  at(offset: number): Message | undefined {
    const index = this.#indexFrom(offset)
    return this.#offsets[index] === offset ? this.#messages[index] : undefined
  }

  append(message: Message): void {
    const offset = Number(message.offset)
    if (offset < this.#end) return
    this.#offsets.push(offset)
    this.#messages.push(message)
    this.#appended += 1
    this.#bytes += message.value?.byteLength ?? 0
    this.#end = offset + 1
    this.#last = offset
  }

  /** Nothing more comes before `next`. */
  endAt(next: number): void {
    this.#end = Math.max(this.#end, next)
  }

  /** Its body is needed no more. */
  drop(offset: number): void {
    const index = this.#indexFrom(offset)
    if (this.#offsets[index] !== offset) return
    this.#bytes -= this.#messages[index]?.value?.byteLength ?? 0
    this.#messages[index] = undefined
  }

  /** Forgets everything before `offset`. */
  cut(offset: number): void {
    const to = this.#indexFrom(offset)
    for (let index = this.#head; index < to; index += 1) this.#bytes -= this.#messages[index]?.value?.byteLength ?? 0
    this.#messages.fill(undefined, this.#head, to)
    this.#head = to
    if (to >= compactFrom && to * 2 > this.#offsets.length) this.#compact()
  }

  /** Index of the first message at or after a place; that of what comes next where there is none. */
  #indexFrom(place: number): number {
    const offsets = this.#offsets
    const near = this.#near
    if (this.#isFirstFrom(near, place)) return near
    if (this.#isFirstFrom(near + 1, place)) return (this.#near = near + 1)
    let low = this.#head
    let high = offsets.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((offsets[middle] ?? Infinity) < place) low = middle + 1
      else high = middle
    }
    return (this.#near = low)
  }

  #isFirstFrom(index: number, place: number): boolean {
    if (index < this.#head || index > this.#offsets.length) return false
    return (this.#offsets[index] ?? Infinity) >= place && (index === this.#head || (this.#offsets[index - 1] ?? -1) < place)
  }

  #compact(): void {
    this.#offsets = this.#offsets.slice(this.#head)
    this.#messages = this.#messages.slice(this.#head)
    this.#near = Math.max(0, this.#near - this.#head)
    this.#head = 0
  }
}
