import { createReadStream, statSync } from 'node:fs'
import { extname } from 'node:path'
import { createInterface } from 'node:readline'
import { type Readable, Transform } from 'node:stream'
import { CommandFailure, exitCodes, usage } from './exit-codes.js'

export type Format = 'lines' | 'jsonl' | 'csv'

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
  let bytes: number
  try {
    bytes = statSync(file).size
  } catch (cause) {
    throw new CommandFailure(exitCodes.usage, `${file} cannot be read: give the path of a file, or - for standard input`, { cause })
  }
  return { ...counted(createReadStream(file)), bytes, format: format ?? formatOf(file) }
}

/** One value a line or row. Throws CommandFailure naming the line that cannot be read. */
export async function* readValues({ stream, format }: Pick<Source, 'stream' | 'format'>): AsyncGenerator<unknown> {
  if (format === 'csv') {
    yield* readCsv(stream)
    return
  }
  let line = 0
  for await (const text of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1
    if (format === 'lines') yield text
    else if (text.trim() !== '') yield parseLine(text, line)
  }
}

async function* readCsv(stream: Readable): AsyncGenerator<unknown> {
  const { parse } = await import('csv-parse')
  const rows: AsyncIterable<unknown> = stream.pipe(parse({ columns: true, bom: true, skip_empty_lines: true }))
  try {
    yield* rows
  } catch (cause) {
    throw new CommandFailure(exitCodes.failed, `this is not CSV with a line of names first: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

function parseLine(text: string, line: number): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new CommandFailure(exitCodes.failed, `line ${line} is not JSON: correct it, or use --format lines`, { cause })
  }
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
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
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
