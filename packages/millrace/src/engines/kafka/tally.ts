/** Above so many marks every other one goes. */
const mostMarks = 8_192

interface Mark {
  readonly offset: number
  /** Messages and bytes before it. */
  readonly count: number
  readonly bytes: number
}

/** Messages and bytes of a partition as it was read, so that the place is known before which there are more than to keep. Exact while it is short. */
export class Tally {
  #marks: Mark[] = []
  #step = 1
  #count = 0
  #bytes = 0
  #end = 0

  /** After the last message that was read. */
  get end(): number {
    return this.#end
  }

  append(offset: number, bytes: number): void {
    if (this.#count % this.#step === 0) this.#marks.push({ offset, count: this.#count, bytes: this.#bytes })
    this.#count += 1
    this.#bytes += bytes
    this.#end = offset + 1
    if (this.#marks.length > mostMarks) this.#thin()
  }

  /** What is before `offset` is gone. */
  cut(offset: number): void {
    const gone = this.#marks.findIndex((mark) => mark.offset >= offset)
    if (gone !== 0) this.#marks = gone < 0 ? [] : this.#marks.slice(gone)
    if (this.#marks.length === 0) this.#step = 1
  }

  /** From here on there are `count` messages, or some more; undefined when there are fewer. */
  keeping(count: number): number | undefined {
    if (count === 0) return this.#end
    return this.#marks.findLast((mark) => this.#count - mark.count >= count)?.offset
  }

  /** From here on there are no more bytes than these, as far as marks are that close. */
  within(bytes: number): number {
    const index = this.#marks.findIndex((mark) => this.#bytes - mark.bytes <= bytes)
    if (this.#step === 1) return this.#marks[index]?.offset ?? this.#end
    return this.#marks.at(index < 0 ? -1 : Math.max(0, index - 1))?.offset ?? this.#end
  }

  #thin(): void {
    this.#step *= 2
    this.#marks = this.#marks.filter((mark) => mark.count % this.#step === 0)
  }
}
