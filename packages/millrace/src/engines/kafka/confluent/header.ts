import type { Header } from '../../../core/message.js'
import type { NativeHeader } from './structure.js'

/** No bytes, in memory that has an address: the client sends a buffer without one as null. */
const noBytes = Buffer.alloc(1).subarray(0, 0)

export function addressed(bytes: Buffer | null): Buffer | null {
  return bytes === null || bytes.length > 0 ? bytes : noBytes
}

export function toNative(headers: readonly Header[]): readonly NativeHeader[] | undefined {
  if (headers.length === 0) return undefined
  return headers.map(nativeOf)
}

export function fromNative(headers: readonly NativeHeader[] | undefined): readonly Header[] {
  return headers === undefined || headers.length === 0 ? noHeaders : headers.map(headerOf)
}

const noHeaders: readonly Header[] = []

function nativeOf([name, value]: Header): NativeHeader {
  const bytes = value.length === 0 ? noBytes : bufferOf(value)
  if (name === '__proto__') return { [name]: bytes }
  // A computed name in a literal takes four times as long.
  const header: Record<string, Buffer> = {}
  header[name] = bytes
  return header
}

function headerOf(header: NativeHeader): Header {
  for (const name in header) if (Object.hasOwn(header, name)) return [name, header[name] ?? noBytes]
  // The client sets the property by assignment: under this name that sets the prototype.
  const value: unknown = Object.getPrototypeOf(header)
  return ['__proto__', Buffer.isBuffer(value) ? value : noBytes]
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
