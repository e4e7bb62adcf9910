import { type Bookmark, currentUnit, decodeBookmark, emptyBookmark, encodeBookmark, type Header, header, type Trace } from '../core/index.js'
import { reservedHeaders } from './headers.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const none: readonly Header[] = []

/** The headers that carry the caller's unit of work: its trace and what it has written or seen. */
export function unitHeaders(): readonly Header[] {
  const unit = currentUnit()
  if (unit === undefined) return none
  const headers: Header[] = []
  if (unit.trace) {
    headers.push([reservedHeaders.traceparent, encoder.encode(unit.trace.traceparent)])
    if (unit.trace.tracestate !== undefined) headers.push([reservedHeaders.tracestate, encoder.encode(unit.trace.tracestate)])
  }
  if (unit.bookmark.size > 0) headers.push([reservedHeaders.bookmark, encoder.encode(encodeBookmark(unit.bookmark))])
  return headers
}

/** The trace that a message carries, or undefined. */
export function traceOf(headers: readonly Header[]): Trace | undefined {
  const traceparent = text(headers, reservedHeaders.traceparent)
  if (traceparent === undefined) return undefined
  const tracestate = text(headers, reservedHeaders.tracestate)
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate }
}

/** The bookmark that a message carries; one that cannot be read is dropped. */
export function bookmarkOf(headers: readonly Header[]): Bookmark {
  const encoded = headers.length === 0 ? undefined : text(headers, reservedHeaders.bookmark)
  if (encoded === undefined) return emptyBookmark
  try {
    return decodeBookmark(encoded)
  } catch {
    return emptyBookmark
  }
}

function text(headers: readonly Header[], name: string): string | undefined {
  const found = headers.length === 0 ? undefined : header(headers, name)
  return found && decoder.decode(found)
}
