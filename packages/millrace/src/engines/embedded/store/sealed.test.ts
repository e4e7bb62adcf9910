import { expect, it } from 'vitest'
import type { RangeOptions, Table } from './lmdb.js'
import { SealedTable } from './sealed.js'

const damaged = expect.objectContaining({ code: 'STORE_DAMAGED', message: expect.stringContaining('a row of its table cursors is not what was written') })
const [one, other] = [Buffer.from('one'), Buffer.from('other')]

/** A table in memory, in the order in which it is filled, that looks for a key as a search does that believes this order. */
function tableOf(rows: Map<string, Buffer>): Table {
  const entries = ({ start, reverse = false, limit = Infinity }: RangeOptions): { key: Buffer; value: Buffer }[] => {
    const all = [...rows].map(([key, value]) => ({ key: Buffer.from(key), value }))
    const from = start === undefined ? 0 : all.filter(({ key }) => Buffer.compare(key, start) < 0).length
    const isThere = start !== undefined && all[from]?.key.equals(start) === true
    return (reverse ? all.slice(0, from + Number(isThere)).reverse() : all.slice(from)).slice(0, limit)
  }
  return {
    get: (key) => rows.get(String(key)),
    putSync: (key, value) => {
      rows.set(String(key), value)
      return true
    },
    removeSync: (key) => rows.delete(String(key)),
    getRange: entries,
    getKeys: (options) => entries(options).map(({ key }) => key),
  }
}

function sealed(): { readonly rows: Map<string, Buffer>; readonly table: SealedTable } {
  const rows = new Map<string, Buffer>()
  const table = new SealedTable(tableOf(rows), 'cursors', true)
  table.putSync(one, Buffer.from('1'))
  table.putSync(other, Buffer.alloc(0))
  return { rows, table }
}

it('what was put comes back, empty values too', () => {
  const { table } = sealed()
  expect(table.get(one)).toEqual(Buffer.from('1'))
  expect([...table.getRange({})]).toEqual([{ key: one, value: Buffer.from('1') }, { key: other, value: Buffer.alloc(0) }])
  expect([...table.getKeys({})]).toEqual([one, other])
  expect(table.get(Buffer.from('none'))).toBeUndefined()
})

it('a value of which any bit has changed is damage', () => {
  const { rows, table } = sealed()
  const row = rows.get('one') ?? Buffer.alloc(0)
  for (let bit = 0; bit < row.length * 8; bit += 1) {
    row[bit >> 3] = (row[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(() => table.get(one)).toThrow(damaged)
    row[bit >> 3] = (row[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  }
  expect(table.get(one)).toEqual(Buffer.from('1'))
})

it('a row under another key, cut short or empty is damage, and so are keys out of order', () => {
  const { rows, table } = sealed()
  const whole = rows.get('one') ?? Buffer.alloc(0)
  rows.set('else', whole)
  expect(() => table.get(Buffer.from('else'))).toThrow(damaged)
  for (let length = 0; length < whole.length; length += 1) {
    rows.set('one', whole.subarray(0, length))
    expect(() => [...table.getKeys({})]).toThrow(damaged)
  }
  const { rows: turned, table: outOfOrder } = sealed()
  turned.delete('one')
  outOfOrder.putSync(one, Buffer.from('1'))
  expect(() => [...outOfOrder.getRange({})]).toThrow(damaged)
})

it('a damaged key that leads a search past rows that are there is damage', () => {
  const { rows, table } = sealed()
  // `one` has become `tne`, behind `other`: a search for `one` goes to where it was, and finds nothing.
  const whole = rows.get('one') ?? Buffer.alloc(0)
  rows.delete('one')
  rows.set('tne', whole)
  expect(() => table.get(one)).not.toThrow()
  expect(() => table.get(Buffer.from('p'))).toThrow(damaged)
  expect(() => [...table.getRange({ start: Buffer.from('z') })]).toThrow(damaged)
})
