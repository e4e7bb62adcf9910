import fc from 'fast-check'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { NewRecord } from '../port.js'
import { ByteReader, ByteWriter, varintSize } from './bytes.js'
import { committedRecords } from './committed-records.js'
import { crc32c } from './crc32c.js'
import { encodeBatch, recordsOf, splitBatches, type WriterMark } from './record-batch.js'

const mark = (more: Partial<WriterMark> = {}): WriterMark => ({ producerId: 5n, epoch: 1, sequence: 0, transactional: false, ...more })
const record = (value: string, more: Partial<NewRecord> = {}): NewRecord => ({ topic: 't', partition: 0, key: null, value: Buffer.from(value), headers: [], timestamp: 1_000, ...more })

/** As the broker writes it into the log. */
function at(offset: number, batch: Buffer, attributes?: number): Buffer {
  const logged = Buffer.from(batch)
  logged.writeBigInt64BE(BigInt(offset), 0)
  if (attributes !== undefined) logged.writeInt16BE(attributes, 21)
  return logged
}

const read = (bytes: Buffer, from = 0n, aborted: readonly { producerId: bigint; first: bigint }[] = []) => committedRecords({ topic: 't', partition: 0, code: 0, stable: 100n, aborted, bytes }, from, undefined)
const values = async (...asked: Parameters<typeof read>) => (await read(...asked)).records.map(({ value }) => value?.toString())
const marker = (aborts: boolean): Buffer => encodeBatch([record('', { key: Buffer.from([0, 0, 0, aborts ? 0 : 1]), value: Buffer.alloc(6) })], mark({ transactional: true }), 0)

describe('numbers of variable length', () => {
  it('come back, and take as many bytes as was said', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 50), max: 2 ** 50 }), (value) => {
        const bytes = new ByteWriter(1).varint(value).bytes()
        expect([new ByteReader(bytes).varint(), bytes.length]).toEqual([value, varintSize(value)])
      }),
    )
  })
})

describe('the checksum of a batch', () => {
  it('is that of Castagnoli', () => {
    expect(crc32c(Buffer.from('123456789'), 0)).toBe(0xe3069283)
    expect(crc32c(Buffer.from('xx123456789'), 2)).toBe(0xe3069283)
  })
})

describe('a batch of records', () => {
  const bytes = fc.uint8Array({ maxLength: 300 })
  const records = fc.array(
    fc.record({
      key: fc.option(bytes),
      value: fc.option(bytes),
      headers: fc.array(fc.tuple(fc.string({ maxLength: 20, unit: 'binary' }), bytes), { maxLength: 5 }),
      timestamp: fc.integer({ min: 0, max: 4e12 }),
    }),
    { minLength: 1, maxLength: 20 },
  )

  it('is read as it was written, byte for byte, in any order of times', () => {
    fc.assert(
      fc.property(records, (given) => {
        const asked = given.map(({ key, value, ...rest }) => ({ topic: 't', partition: 3, key: key === null ? null : Buffer.from(key), value: value === null ? null : Buffer.from(value), ...rest }))
        const [batch] = splitBatches(at(40, encodeBatch(asked, mark(), 7))) ?? []
        const found = recordsOf(batch!, batch!.packed, 0n, 't', 3)
        expect(found.map(({ offset }) => offset)).toEqual(asked.map((_, index) => 40n + BigInt(index)))
        const plain = ({ key, value, headers, timestamp }: NewRecord) => [key?.toString('hex'), value?.toString('hex'), headers.map(([name, content]) => [name, Buffer.from(content).toString('hex')]), timestamp]
        expect(found.map(plain)).toEqual(asked.map(plain))
      }),
    )
  })

  it('that is cut off at the end is left for the next fetch', async () => {
    const [whole, cut] = [at(0, encodeBatch([record('a'), record('b')], mark(), 0)), at(2, encodeBatch([record('c')], mark(), 0))]
    const fetched = Buffer.concat([whole, cut.subarray(0, cut.length - 1)])
    expect(await values(fetched)).toEqual(['a', 'b'])
    expect((await read(fetched)).next).toBe(2n)
  })

  it('is read from a place in the middle of it', async () => {
    expect(await values(at(0, encodeBatch([record('a'), record('b'), record('c')], mark(), 0)), 1n)).toEqual(['b', 'c'])
  })

  it('may be compressed with gzip; what cannot be decompressed is said', async () => {
    const plain = encodeBatch([record('a'), record('b')], mark(), 0)
    const packed = Buffer.concat([plain.subarray(0, 61), gzipSync(plain.subarray(61))])
    packed.writeInt32BE(packed.length - 12, 8)
    expect(await values(at(0, packed, 1))).toEqual(['a', 'b'])
    await expect(read(at(0, plain, 3))).rejects.toThrow('lz4')
  })
})

describe('transactions in a fetch', () => {
  const open = (value: string, more: Partial<NewRecord> = {}) => encodeBatch([record(value, more)], mark({ transactional: true }), 0)
  const control = 0x30

  it('that were undone are passed over, with their markers, and those after them are read', async () => {
    const fetched = Buffer.concat([at(0, open('gone')), at(1, marker(true), control), at(2, open('kept')), at(3, marker(false), control)])
    expect(await read(fetched, 0n, [{ producerId: 5n, first: 0n }])).toMatchObject({ next: 4n })
    expect(await values(fetched, 0n, [{ producerId: 5n, first: 0n }])).toEqual(['kept'])
  })

  it('are not ended by a record whose key looks like a marker', async () => {
    const fetched = Buffer.concat([at(0, open('gone', { key: Buffer.alloc(4) })), at(1, open('gone too')), at(2, marker(true), control)])
    expect(await values(fetched, 0n, [{ producerId: 5n, first: 0n }])).toEqual([])
  })

  it('of one writer do not hide the records of another', async () => {
    const other = encodeBatch([record('other')], mark({ producerId: 6n, transactional: true }), 0)
    const outside = encodeBatch([record('outside')], mark({ producerId: 7n }), 0)
    const fetched = Buffer.concat([at(0, open('gone')), at(1, other), at(2, outside)])
    expect(await values(fetched, 0n, [{ producerId: 5n, first: 0n }])).toEqual(['other', 'outside'])
  })
})
