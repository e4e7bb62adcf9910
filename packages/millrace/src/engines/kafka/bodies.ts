import type { Millis } from '../../core/clock.js'
import { MillraceError } from '../../core/errors.js'
import type { Offset } from '../../core/message.js'
import type { Book, KeptHold } from './book.js'
import type { KafkaRecord } from './port.js'
import { idOf } from './rubbish.js'
import { Scanner } from './scanner.js'
import type { KafkaStore } from './store.js'
import type { Waits } from './waiting.js'

/** So many records are passed over rather than that the log is looked for anew. */
const gapMost = 1_000n
/** Others who read wait no longer than for so many. */
const runMost = 50_000n
const runMs: Millis = 30_000

/** Reads what waits from the ledgers' logs, in their order. */
export class Bodies {
  readonly #store: KafkaStore
  readonly #scanner: Scanner

  constructor(store: KafkaStore) {
    this.#store = store
    this.#scanner = new Scanner(store)
  }

  /** What has changed since is left out. Errors: TIMEOUT, and what keeps the log from being read. */
  async read(book: Book, waits: readonly Waits[]): Promise<ReadonlyMap<string, KeptHold>> {
    const found = new Map<string, KeptHold>()
    for await (const holds of this.sweep(book, waits)) for (const hold of holds) found.set(hold.id, hold)
    return found
  }

  /** The same, as they come. */
  async *sweep(book: Book, waits: readonly Waits[]): AsyncIterable<readonly KeptHold[]> {
    for (const run of runsOf(waits.map(({ version }) => version))) {
      const records = await this.#run(book, run)
      yield records.map((record) => holdOf(book, record)).filter((hold) => book.waiting.get(hold.id)?.version === hold.version)
    }
  }

  close(): Promise<void> {
    return this.#scanner.close()
  }

  async #run(book: Book, places: readonly Offset[]): Promise<readonly KafkaRecord[]> {
    const [from = 0n, to = 0n] = [places[0], places.at(-1)]
    const wanted = new Set(places)
    const stretch = { topic: book.ledger.topic, partition: 0, from, to: to + 1n, most: Infinity, mostBytes: Infinity, only: (offset: Offset) => wanted.has(offset) }
    const { records, why } = await this.#scanner.read(stretch, this.#store.clock.monotonic() + runMs)
    if (why === 'late') throw new MillraceError('TIMEOUT', `topic ${book.topic}: what is held could not be read in ${runMs} ms`)
    return records
  }
}

/** Places in the order of the log, parted where it is quicker to look for the next. */
function runsOf(places: readonly Offset[]): readonly (readonly Offset[])[] {
  const runs: Offset[][] = []
  let run: Offset[] = []
  for (const place of [...places].sort((one, other) => Number(one - other))) {
    const [first, last] = [run[0] ?? place, run.at(-1) ?? place]
    if (run.length === 0 || place - last > gapMost || place - first > runMost) runs.push((run = []))
    run.push(place)
  }
  return runs
}

function holdOf(book: Book, { key, value, offset }: KafkaRecord): KeptHold {
  return book.keptHold({ id: idOf((key ?? '').toString()), value: value ?? Buffer.alloc(0), version: offset, epoch: 0 })
}
