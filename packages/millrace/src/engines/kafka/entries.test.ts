import { describe, expect, it } from 'vitest'
import type { Offset } from '../../core/message.js'
import { Entries, type Removed } from './entries.js'
import type { KafkaRecord } from './port.js'
import { keyOf } from './rubbish.js'

interface Options {
  readonly value?: Buffer | null
  readonly end?: boolean
  /** When the youngest record that its writer had seen was written. */
  readonly seen?: number
  readonly timestamp?: number
}

/** A change of entry `a`, as its writer puts it in the log; a value of null removes the key of that version. */
function record(offset: Offset, version: string, condition: string, { value = Buffer.from(version), end = false, seen = 0, timestamp = 0 }: Options = {}): KafkaRecord {
  const texts = Object.entries({ if: condition, seen: String(seen), ...(end ? { end: '1' } : {}) })
  return { topic: 't', partition: 0, offset, key: Buffer.from(keyOf('a', version)), value, timestamp, headers: texts.map(([name, text]) => [name, Buffer.from(text)]) }
}

function valueOf(entries: Entries): string | undefined {
  return entries.all.get('a')?.value.toString()
}

/** Those of a log as it is found. */
function entriesOf(records: readonly KafkaRecord[], removed?: Removed): Entries {
  const entries = new Entries((_, value) => (value.toString().startsWith('due ') ? Number(value.toString().slice(4)) : undefined), removed)
  for (const each of records) entries.apply(each)
  if (entries.torn.size === 0) entries.live()
  return entries
}

describe('the entries of a ledger', () => {
  it('take of two changes of one version the first', () => {
    const entries = entriesOf([record(0n, 'one', 'new')])
    const answers = [entries.apply(record(1n, 'two', 'is 0')), entries.apply(record(2n, 'three', 'is 0'))].map(({ answer }) => answer?.is)
    expect([answers, valueOf(entries)]).toEqual([['accepted', 'refused'], 'two'])
  })

  it('take no change of what was ended', () => {
    const entries = entriesOf([record(0n, 'one', 'new'), record(1n, 'end', 'always', { end: true })])
    expect(entries.apply(record(2n, 'two', 'is 0')).answer?.is).toBe('refused')
    expect(valueOf(entries)).toBeUndefined()
  })

  it('are the same when what was before them is compacted away', () => {
    const entries = entriesOf([record(5n, 'two', 'is 0'), record(9n, 'three', 'is 5')])
    expect(valueOf(entries)).toBe('three')
  })

  it('take a key that is removed later in the log for removed, though what took its place is missing already', () => {
    const entries = entriesOf([record(0n, 'one', 'new'), record(8n, 'one', '', { value: null })])
    expect([valueOf(entries), entries.torn.size > 0]).toEqual([undefined, false])
  })

  it('are torn when a current key is removed while they are followed: they have missed what took its place', () => {
    const entries = entriesOf([record(0n, 'one', 'new')])
    entries.apply(record(8n, 'one', '', { value: null }))
    expect(entries.torn.size > 0).toBe(true)
  })

  it('judge no record twice', () => {
    const entries = entriesOf([record(0n, 'one', 'new')])
    expect(entries.apply(record(0n, 'one', 'new'))).toEqual({})
    expect(entries.rubbish.has('a')).toBe(false)
  })

  it('take no change that was made of a view more than thirty seconds older', () => {
    const entries = entriesOf([record(0n, 'one', 'new')])
    const [late, inTime] = [record(1n, 'two', 'is 0', { seen: 1_000, timestamp: 31_001 }), record(2n, 'three', 'is 0', { seen: 1_000, timestamp: 31_000 })]
    expect([entries.apply(late).answer?.is, entries.apply(inTime).answer?.is]).toEqual(['late', 'accepted'])
  })

  it('take of a log what is removed in it for missing where it was misjudged, when it is read anew', () => {
    const [refused, taken, removal] = [record(7n, 'refused', 'is 0'), record(9n, 'taken', 'is 5'), record(12n, 'refused', '', { value: null })]
    // What it was refused for, at 5, is compacted away.
    const torn = entriesOf([refused, taken, removal])
    expect([...torn.torn]).toEqual([[keyOf('a', 'refused'), 12n]])
    const anew = entriesOf([refused, taken, removal], torn.torn)
    expect([valueOf(anew), anew.torn.size]).toEqual(['taken', 0])
  })

  it('of which one only waits for a time are kept without their value', () => {
    const entries = entriesOf([record(3n, 'one', 'new', { value: Buffer.from('due 20') })])
    expect([entries.all.size, entries.waiting.size, entries.get('a')]).toEqual([0, 1, { id: 'a', key: keyOf('a', 'one'), version: 3n, due: 20, bytes: 6, epoch: 0 }])
    expect(entries.apply(record(4n, 'two', 'new')).answer?.is).toBe('refused')
    expect(entries.apply(record(5n, 'three', 'is 3')).answer?.is).toBe('accepted')
    expect([valueOf(entries), entries.waiting.size]).toEqual(['three', 0])
    entries.apply(record(6n, 'four', 'is 5', { value: Buffer.from('due 30') }))
    entries.apply(record(7n, 'end', 'always', { end: true }))
    expect([entries.all.size, entries.waiting.size, entries.get('a')]).toEqual([0, 0, undefined])
  })
})
