import { expect, it } from 'vitest'
import { Book } from './book.js'
import { Entries } from './entries.js'
import type { Change } from './ledger.js'
import { Leftovers } from './leftovers.js'
import type { KafkaRecord } from './port.js'
import { dropped } from './held-row.js'
import { encode, encodeHeld, type GroupRow, type HeldRow, ids } from './rows.js'

const group = 'readers'
const groupRow: GroupRow = { createdAt: 1, paused: false }

/** A ledger's log, and books that have read all of it. */
class Log {
  readonly #records: KafkaRecord[] = []
  readonly #readers: { readonly book: Book; readonly entries: Entries }[] = []

  book(): Book {
    const reader = { book: new Book('orders'), entries: new Entries(() => undefined) }
    this.#readers.push(reader)
    for (const record of this.#records) read(reader, record)
    return reader.book
  }

  append(changes: readonly Change[]): void {
    for (const { id, value, when } of changes) {
      const offset = BigInt(this.#records.length)
      const texts = { if: textOf(when), ...(value === null ? { end: '1' } : {}) }
      const headers = Object.entries(texts).map(([name, text]): [string, Buffer] => [name, Buffer.from(text)])
      const record = { topic: 'ledger', partition: 0, offset, key: Buffer.from(`${id}\n${offset}`), value: value ?? Buffer.alloc(0), headers, timestamp: 0 }
      this.#records.push(record)
      for (const reader of this.#readers) read(reader, record)
    }
  }
}

function read({ book, entries }: { readonly book: Book; readonly entries: Entries }, record: KafkaRecord): void {
  const { changed } = entries.apply(record)
  if (changed) book.events.changed(changed.id, changed.now, changed.before)
}

function textOf(when: Change['when']): string {
  if (typeof when === 'string') return when
  return 'is' in when ? `is ${when.is}` : `guard ${when.guard} ${when.epoch}`
}

/** Drops a dead letter. */
function drop(log: Log, offset: bigint): void {
  const message = { id: `m${offset}`, topic: 'orders', partition: 0, offset, key: null, value: null, headers: [], timestamp: 0, producerId: '', kind: 'normal' as const }
  const row: HeldRow = { hold: { why: 'dead', until: 'decided', then: 'release', group, attempt: 1 }, heldAt: 0, partition: 0, offset, blocks: false, park: false, message }
  log.append([{ id: ids.placed(group, 0, offset), value: encodeHeld(dropped(row)), when: 'always' }])
}

it('count what was dropped once, though two stewards that do not know of each other count, and what one writes comes late or in part', async () => {
  const log = new Log()
  log.append([{ id: ids.group(group), value: encode(groupRow), when: 'new' }])
  const book = log.book()
  const late: Change[][] = []
  const [stale, current] = [new Leftovers(book, async (changes) => void late.push([...changes])), new Leftovers(book, async (changes) => log.append(changes))]
  drop(log, 1n)
  await stale.sweep(0)
  drop(log, 2n)
  await current.sweep(0)
  drop(log, 3n)
  await stale.sweep(0)
  await current.sweep(0)
  expect(book.dropsOf(group)).toMatchObject({ purged: 3 })
  for (const changes of late) {
    log.append(changes)
    expect(book.dropsOf(group)).toMatchObject({ purged: 3 })
  }
  for (let times = 0; times < 2; times += 1) await current.sweep(0)
  expect([book.dropped.size, book.dropsOf(group).purged, log.book().dropsOf(group).purged]).toEqual([0, 3, 3])
})
