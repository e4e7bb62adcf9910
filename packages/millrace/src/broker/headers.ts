import { type Header, MillraceError } from '../core/index.js'

/** Header names that Millrace itself writes. */
export const reservedHeaders = {
  traceparent: 'traceparent',
  tracestate: 'tracestate',
  bookmark: 'millrace-bookmark',
  contentType: 'content-type',
  schedule: 'millrace-schedule',
} as const

/** Headers as a caller gives them: one value a name, or a list where order or repetition matters. Text is UTF-8. */
export type HeadersInput = Readonly<Record<string, string | Uint8Array>> | readonly (readonly [name: string, value: string | Uint8Array])[]

const none: readonly Header[] = []
const encoder = new TextEncoder()

/** As an engine takes them. Throws INVALID for a name or value that is none. */
export function toHeaders(input: HeadersInput | undefined): readonly Header[] {
  if (input === undefined) return none
  const pairs = isList(input) ? input : Object.entries(input)
  return pairs.map(([name, value]) => {
    if (typeof name !== 'string' || name.length === 0) throw new MillraceError('INVALID', 'a header has no name', { field: 'headers' })
    return [name, toBytes(name, value)] as const
  })
}

function isList(input: HeadersInput): input is readonly (readonly [string, string | Uint8Array])[] {
  return Array.isArray(input)
}

function toBytes(name: string, value: unknown): Uint8Array {
  if (typeof value === 'string') return encoder.encode(value)
  if (value instanceof Uint8Array) return value
  throw new MillraceError('INVALID', `header ${name} is neither text nor bytes`, { field: `headers.${name}` })
}

const decoder = new TextDecoder()

/** The headers of a message that came in. */
export class MessageHeaders implements Iterable<Header> {
  readonly raw: readonly Header[]

  constructor(raw: readonly Header[]) {
    this.raw = raw
  }

  /** The first value of a name as text, or undefined. */
  get(name: string): string | undefined {
    const found = this.bytes(name)
    return found && decoder.decode(found)
  }

  /** Every value of a name as text. */
  getAll(name: string): readonly string[] {
    return this.raw.filter(([each]) => each === name).map(([, value]) => decoder.decode(value))
  }

  /** The first value of a name as bytes, or undefined. */
  bytes(name: string): Uint8Array | undefined {
    return this.raw.find(([each]) => each === name)?.[1]
  }

  [Symbol.iterator](): Iterator<Header> {
    return this.raw[Symbol.iterator]()
  }

  /** One text for each name, the last of those that repeat. */
  toJSON(): Record<string, string> {
    return Object.fromEntries(this.raw.map(([name, value]) => [name, decoder.decode(value)]))
  }
}
