import { MillraceError } from '../core/index.js'

/** Turns values into bytes and back. Null bytes are a tombstone. Throws what it likes; the broker makes it a CODEC error. */
export interface Codec<T = unknown> {
  readonly name: string
  /** Sent as the header `content-type`. */
  readonly contentType?: string
  encode(value: T): Uint8Array | null
  decode(bytes: Uint8Array | null): T
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** JSON in UTF-8. `undefined` and functions are refused; a tombstone is read as null. */
export const json: Codec = {
  name: 'json',
  contentType: 'application/json',
  encode(value) {
    const text = JSON.stringify(value) as string | undefined // undefined for what JSON has no word for
    if (text === undefined) throw new MillraceError('CODEC', `JSON has no word for ${typeof value}: send null or another codec`, { field: 'value' })
    return Buffer.from(text)
  },
  decode: (bytes) => (bytes === null ? null : (JSON.parse(decoder.decode(bytes)) as unknown)),
}

/** Bytes as they are, not copied: leave them alone once they are sent. Null is a tombstone. */
export const bytes: Codec<Uint8Array | null> = {
  name: 'bytes',
  encode: (value) => value,
  decode: (value) => value,
}
