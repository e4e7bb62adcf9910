/** Of the keys: one lies in one chunk. */
const chunkBytes = 65_536

/** Rows of a table, in columns: a million take no object each. */
export class Columns {
  readonly capacity: number
  readonly version: Float64Array
  /** NaN in a row that is gone. */
  readonly due: Float64Array
  readonly bytes: Uint32Array
  readonly #starts: Uint32Array
  readonly #lengths: Uint16Array
  readonly #chunks: Buffer[] = []
  #keysEnd = 0
  #length = 0

  constructor(capacity: number) {
    this.capacity = capacity
    this.version = new Float64Array(capacity)
    this.due = new Float64Array(capacity)
    this.bytes = new Uint32Array(capacity)
    this.#starts = new Uint32Array(capacity)
    this.#lengths = new Uint16Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  isThere(row: number): boolean {
    return !Number.isNaN(this.due[row])
  }

  key(row: number): Buffer {
    const at = (this.#starts[row] ?? 0) % chunkBytes
    return this.#chunk(row).subarray(at, at + (this.#lengths[row] ?? 0))
  }

  /** Whether the row's key begins with these bytes and then `next`. */
  hasKey(row: number, bytes: Buffer, next: number): boolean {
    const chunk = this.#chunk(row)
    const at = (this.#starts[row] ?? 0) % chunkBytes
    if ((this.#lengths[row] ?? 0) <= bytes.length || chunk[at + bytes.length] !== next) return false
    for (let index = bytes.length - 1; index >= 0; index -= 1) if (chunk[at + index] !== bytes[index]) return false
    return true
  }

  /** There has to be room. */
  append(key: Buffer, version: number, due: number, bytes: number): void {
    const row = this.#length
    this.#starts[row] = this.#place(key)
    this.#lengths[row] = key.length
    this.version[row] = version
    this.due[row] = due
    this.bytes[row] = bytes
    this.#length += 1
  }

  /** The rows that are there, with room for so many. */
  copy(capacity: number): Columns {
    const copy = new Columns(capacity)
    for (let row = 0; row < this.#length; row += 1) {
      if (this.isThere(row)) copy.append(this.key(row), this.version[row] ?? 0, this.due[row] ?? 0, this.bytes[row] ?? 0)
    }
    return copy
  }

  #chunk(row: number): Buffer {
    const chunk = this.#chunks[Math.floor((this.#starts[row] ?? 0) / chunkBytes)]
    if (!chunk) throw new Error('a row that was appended has a key')
    return chunk
  }

  #place(key: Buffer): number {
    const room = this.#chunks.length * chunkBytes - this.#keysEnd
    if (room < key.length) {
      this.#keysEnd += room
      this.#chunks.push(Buffer.allocUnsafeSlow(chunkBytes))
    }
    const start = this.#keysEnd
    this.#chunks.at(-1)?.set(key, start % chunkBytes)
    this.#keysEnd += key.length
    return start
  }
}
