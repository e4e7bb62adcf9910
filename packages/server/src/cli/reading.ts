import { createReadStream, statSync } from 'node:fs'
import { extname } from 'node:path'
import { Readable, Transform, pipeline } from 'node:stream'
import { inexactNumber } from '../api/exact-json.js'
import { CommandFailure, exitCodes, usage } from './exit-codes.js'

export type Format = 'lines' | 'jsonl' | 'csv'

/** A value, and the line it ended on, from 1. */
export interface Found {
  readonly value: unknown
  readonly line: number
}

export interface Source {
  readonly stream: Readable
  readonly format: Format
  /** Bytes in all, where it is a file. */
  readonly bytes?: number
  /** Bytes read so far. */
  read(): number
}

/** A file, or standard input. The format follows the file's name unless given. */
export function openSource(file: string | undefined, format: Format | undefined): Source {
  if (file === undefined || file === '-') return { ...counted(process.stdin), format: format ?? 'lines' }
  const found = statSync(file, { throwIfNoEntry: false })
  if (!found || found.isDirectory()) throw usage(`${file} cannot be read: give the path of a file, or - for standard input`)
  return { ...counted(createReadStream(file)), bytes: found.size, format: format ?? formatOf(file) }
}

/** One value a line or row, and where it stood. Throws CommandFailure naming the line that cannot be read. */
export async function* readValues({ stream, format }: Pick<Source, 'stream' | 'format'>): AsyncGenerator<Found> {
  if (format === 'csv') {
    yield* readCsv(stream)
    return
  }
  let line = 0
  for await (const raw of textLines(stream)) {
    line += 1
    const text = raw.replace(/\r?\n$/, '')
    if (format === 'lines') yield { value: text, line }
    else if (text.trim() !== '') yield { value: parseLine(text, line), line }
  }
}

/** Lines with their ends. Ours, because Node's also end at U+2028, which JSON may have, and take bytes that are no text. */
async function* textLines(stream: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let line = 0
  const decode = (bytes: Uint8Array): string => {
    line += 1
    try {
      const text = decoder.decode(bytes)
      return line === 1 ? text.replace(/^\ufeff/, '') : text
    } catch (cause) {
      throw unreadable(`line ${line} is not text in UTF-8: convert the file first`, cause)
    }
  }
  let parts: Buffer[] = []
  for await (const chunk of stream as AsyncIterable<Buffer>) { // nobody gave it an encoding
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      yield decode(Buffer.concat([...parts, chunk.subarray(from, end + 1)]))
      parts = []
      from = end + 1
    }
    if (from < chunk.length) parts.push(chunk.subarray(from))
  }
  if (parts.length > 0) yield decode(Buffer.concat(parts))
}

async function* readCsv(stream: Readable): AsyncGenerator<Found> {
  const { parse } = await import('csv-parse')
  const parser = parse({ columns: true, skip_empty_lines: true, info: true })
  // The parser's reader hears of what goes wrong before it.
  pipeline(Readable.from(textLines(stream)), parser, () => undefined)
  const rows: AsyncIterable<{ readonly record: unknown; readonly info: { readonly lines: number } }> = parser // what `info` asks for
  try {
    for await (const { record, info } of rows) yield { value: record, line: info.lines }
  } catch (cause) {
    if (cause instanceof CommandFailure) throw cause
    throw unreadable(`this is not CSV with a line of names first: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
  }
}

function parseLine(text: string, line: number): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw unreadable(`line ${line} is not JSON: correct it, or use --format lines`, cause)
  }
  const inexact = inexactNumber(text)
  if (inexact !== undefined) throw unreadable(`line ${line} has the number ${inexact}, which would be rounded: write it as a text`)
  return value
}

function unreadable(message: string, cause?: unknown): CommandFailure {
  return new CommandFailure(exitCodes.failed, message, { cause })
}

/** Counts on the way through, without starting the flow. */
function counted(source: Readable): Pick<Source, 'stream' | 'read'> {
  let bytes = 0
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      done(null, chunk)
    },
  })
  source.on('error', (error) => counter.destroy(error))
  return { stream: source.pipe(counter), read: () => bytes }
}

function formatOf(file: string): Format {
  const ending = extname(file).toLowerCase()
  if (ending === '.csv') return 'csv'
  return ending === '.jsonl' || ending === '.ndjson' || ending === '.json' ? 'jsonl' : 'lines'
}

/** What a person typed: JSON where it is JSON, otherwise the text itself. */
export function readTyped(text: string, asText: boolean): unknown {
  if (asText) return text
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return text
  }
  const inexact = inexactNumber(text)
  if (inexact !== undefined) throw usage(`the number ${inexact} would be rounded: write it as a text, or add --text`)
  return value
}

/** `name=value`. */
export function readHeaders(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1) throw usage(`header ${JSON.stringify(pair)} has no name and value: write --header name=value`)
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}
