import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { MillraceError } from '../../../core/errors.js'
import type { CompressionCodecs } from './module.js'

const names = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const gunzip = promisify(zlib.gunzip)

/**
 * What a batch's packed records are, plain. gzip always; zstd from Node 22.15 on; for the others the user registers a codec in kafkajs's own
 * `CompressionCodecs`.
 */
export async function decompress(codecs: CompressionCodecs | undefined, codec: number, packed: Buffer): Promise<Buffer> {
  const name = names[codec] ?? String(codec)
  if (name === 'none') return packed
  if (name === 'gzip') return gunzip(packed)
  const theirs = codecs?.[codec]
  if (typeof theirs === 'function') {
    try {
      const made: unknown = theirs()
      if (hasDecompress(made)) return await made.decompress(packed)
    } catch (error) {
      if (name !== 'zstd') throw unreadable(name, error)
    }
  }
  // Node's types of version 20 do not know it.
  const zstd: unknown = Reflect.get(zlib, 'zstdDecompressSync')
  if (name === 'zstd' && typeof zstd === 'function') return zstd(packed) as Buffer
  throw unreadable(name)
}

function unreadable(name: string, cause?: unknown): MillraceError {
  return new MillraceError('CONFIG', `records are compressed with ${name}, which kafkajs cannot read: add its codec to CompressionCodecs of kafkajs, or set compression.type=gzip at the topic`, { cause })
}

function hasDecompress(made: unknown): made is { decompress(packed: Buffer): Promise<Buffer> } {
  return typeof made === 'object' && made !== null && 'decompress' in made && typeof made.decompress === 'function'
}
