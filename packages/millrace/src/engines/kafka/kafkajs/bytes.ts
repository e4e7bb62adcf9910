/** Writes Kafka's protocol into a buffer that grows. */
export class ByteWriter {
  #buffer: Buffer
  #at = 0

  constructor(size = 1_024) {
    this.#buffer = Buffer.allocUnsafe(size)
  }

  get length(): number {
    return this.#at
  }

  /** What was written; the writer is of no more use. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#at)
  }

  int8(value: number): this {
    this.#need(1)
    this.#at = this.#buffer.writeInt8(value, this.#at)
    return this
  }

  int16(value: number): this {
    this.#need(2)
    this.#at = this.#buffer.writeInt16BE(value, this.#at)
    return this
  }

  int32(value: number): this {
    this.#need(4)
    this.#at = this.#buffer.writeInt32BE(value, this.#at)
    return this
  }

  uint32At(value: number, at: number): void {
    this.#buffer.writeUInt32BE(value, at)
  }

  int64(value: bigint): this {
    this.#need(8)
    this.#at = this.#buffer.writeBigInt64BE(value, this.#at)
    return this
  }

  /** Null has the length -1. */
  string(value: string | null): this {
    if (value === null) return this.int16(-1)
    const length = Buffer.byteLength(value)
    this.int16(length)
    return this.utf8(value, length)
  }

  utf8(value: string, length: number): this {
    this.#need(length)
    this.#at += this.#buffer.write(value, this.#at, length)
    return this
  }

  raw(value: Uint8Array): this {
    this.#need(value.length)
    this.#buffer.set(value, this.#at)
    this.#at += value.length
    return this
  }

  /** A signed number, near 0 in few bytes; exact up to 2^52. */
  varint(value: number): this {
    this.#need(10)
    let left = value >= 0 ? value * 2 : -value * 2 - 1
    while (left >= 0x80) {
      this.#buffer[this.#at++] = (left % 0x80) | 0x80
      left = Math.floor(left / 0x80)
    }
    this.#buffer[this.#at++] = left
    return this
  }

  #need(more: number): void {
    if (this.#at + more <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + more))
    this.#buffer.copy(grown, 0, 0, this.#at)
    this.#buffer = grown
  }
}

export function varintSize(value: number): number {
  let left = value >= 0 ? value * 2 : -value * 2 - 1
  let size = 1
  while (left >= 0x80) {
    left = Math.floor(left / 0x80)
    size += 1
  }
  return size
}

/** Reads Kafka's protocol. Slices share the buffer's memory. */
export class ByteReader {
  readonly #buffer: Buffer
  at: number

  constructor(buffer: Buffer, at = 0) {
    this.#buffer = buffer
    this.at = at
  }

  get left(): number {
    return this.#buffer.length - this.at
  }

  int8(): number {
    return this.#buffer.readInt8(this.at++)
  }

  int16(): number {
    const value = this.#buffer.readInt16BE(this.at)
    this.at += 2
    return value
  }

  int32(): number {
    const value = this.#buffer.readInt32BE(this.at)
    this.at += 4
    return value
  }

  int64(): bigint {
    const value = this.#buffer.readBigInt64BE(this.at)
    this.at += 8
    return value
  }

  string(): string {
    return this.slice(Math.max(this.int16(), 0)).toString()
  }

  /** Null for the length -1. */
  bytes(): Buffer | null {
    const length = this.int32()
    return length < 0 ? null : this.slice(length)
  }

  slice(length: number): Buffer {
    this.at += length
    return this.#buffer.subarray(this.at - length, this.at)
  }

  array<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(this.int32(), 0) }, read)
  }

  varint(): number {
    let value = 0
    let unit = 1
    for (;;) {
      const byte = this.#buffer[this.at++] ?? 0
      value += (byte & 0x7f) * unit
      if (byte < 0x80) break
      unit *= 0x80
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  /** Bytes after their length as a varint. */
  varintBytes(): Buffer | null {
    const length = this.varint()
    return length < 0 ? null : this.slice(length)
  }
}
