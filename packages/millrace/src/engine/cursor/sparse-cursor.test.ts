import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Message } from '../../core/message.js'
import type { Delivery } from '../engine.js'
import { first, type Redelivery } from './again.js'
import type { CursorLog } from './cursor-log.js'
import type { CursorState, Run } from './cursor-state.js'
import { GroupCursor } from './group-cursor.js'

/** Messages 0 to `size` - 1; keys come again and again. */
const size = 30

/** Where message `index` is in the sparse log, which begins at `offsets[0]`. Ascending. */
type Offsets = readonly number[]

const message = (offset: number, index: number): Message => ({
  id: `m${index}`, topic: 't', partition: 0, offset: BigInt(offset), key: index % 3 === 0 ? null : `k${index % 4}`, value: null, headers: [], timestamp: index, producerId: 'p', kind: 'normal',
})

class Log implements CursorLog {
  readonly partition = 0
  /** How many messages are there. */
  count = 10
  readonly #offsets: Offsets
  readonly sparse: CursorLog['sparse']

  constructor(offsets: Offsets, isSparse: boolean) {
    this.#offsets = offsets
    const from = (place: number): number => this.#there.findIndex((offset) => offset >= place)
    this.sparse = isSparse
      ? { next: (place) => this.#there[from(place)] ?? this.end, count: (place) => (from(place) < 0 ? 0 : this.count - from(place)) }
      : undefined
  }

  get end(): number {
    return (this.#offsets[this.count - 1] ?? 0) + 1
  }

  at(offset: number): Message | undefined {
    const index = this.#there.indexOf(offset)
    return index < 0 ? undefined : message(offset, index)
  }

  get #there(): Offsets {
    return this.#offsets.slice(0, this.count)
  }
}

const index = fc.nat(size - 1)
const step = fc.oneof(
  fc.record({ do: fc.constant('lease' as const), count: fc.nat(8), mayRunAlone: fc.boolean() }),
  fc.record({ do: fc.constantFrom('done' as const, 'back' as const, 'ended' as const, 'retry' as const, 'park' as const, 'seek' as const, 'pass' as const, 'release' as const), index }),
  fc.record({ do: fc.constant('grow' as const), count: fc.nat(5) }),
  fc.record({ do: fc.constant('free' as const), died: fc.boolean() }),
  fc.record({ do: fc.constant('restore' as const) }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** A cursor and what it does at each step, with messages by their number instead of their offset. */
class Subject {
  readonly #offsets: Offsets
  readonly #log: Log
  readonly #waited: number[] = []
  #cursor: GroupCursor

  constructor(offsets: Offsets, isSparse: boolean) {
    this.#offsets = offsets
    this.#log = new Log(offsets, isSparse)
    this.#cursor = new GroupCursor(this.#log, offsets[0] ?? 0, this.#onWait)
    this.#claim()
  }

  do(each: Step): unknown {
    const cursor = this.#cursor
    if (each.do === 'lease') return this.#lease(each.count, each.mayRunAlone)
    if (each.do === 'grow') return (this.#log.count = Math.min(size, this.#log.count + each.count))
    if (each.do === 'free') return this.#free(each.died)
    if (each.do === 'restore') return this.#restore()
    const offset = this.#offsets[each.index] ?? 0
    if (each.do === 'done') return cursor.done(offset)
    if (each.do === 'back') return cursor.back(offset)
    if (each.do === 'ended') return cursor.ended(message(offset, each.index).key, offset)
    if (each.do === 'release') return cursor.release({ ...first(message(offset, each.index), offset), attempt: 2, pins: false })
    if (each.index >= this.#log.count) return undefined
    if (each.do === 'seek') return cursor.seek(offset)
    if (each.do === 'pass') return cursor.passTo(offset)
    const entry = cursor.finish(offset)
    if (entry && each.do === 'park') cursor.block(entry)
    return entry && [entry.attempt, entry.alone, entry.pins]
  }

  /** All that can be seen of it. */
  get seen(): unknown {
    const { leased, ready, epoch, flight } = this.#cursor
    const { next, leased: inHand, waiting, again, copies } = this.#cursor.state()
    const stored = { next: this.#numberOf(next), leased: this.#runs(inHand), waiting: this.#runs(waiting), again: again.map(([offset, ...rest]) => [this.#numberOf(offset), ...rest]), copies: copies.map((offset) => this.#numberOf(offset)) }
    return { leased, ready, epoch, low: this.#numberOf(flight.low), oldest: this.#cursor.oldest(), returned: flight.returned, stored, waited: this.#waited }
  }

  #lease(count: number, mayRunAlone: boolean): unknown {
    const out: Delivery[] = []
    const isAlone = this.#cursor.lease(out, count, mayRunAlone)
    return [isAlone, out.map(({ message: { id }, attempt, alone, epoch }) => [id, attempt, alone, epoch])]
  }

  #free(died: boolean): unknown {
    this.#cursor.free(died)
    return this.#claim()
  }

  /** Only the log and what was stored is left. */
  #restore(): unknown {
    const stored = JSON.parse(JSON.stringify(this.#cursor.state())) as CursorState
    this.#cursor = GroupCursor.restore(this.#log, stored, this.#cursor.epoch, this.#onWait)
    return this.#claim()
  }

  #claim(): unknown {
    return this.#cursor.claim({ lost: () => undefined, wakeSoon: () => undefined }, 3).map(({ offset }) => this.#numberOf(offset))
  }

  readonly #onWait = ({ offset }: Redelivery): void => {
    this.#waited.push(this.#numberOf(offset))
  }

  /** Of the first message at or after a place. */
  #numberOf(place: number): number {
    const found = this.#offsets.findIndex((offset) => offset >= place)
    return found < 0 ? size : found
  }

  #runs(runs: readonly Run[]): unknown {
    return runs.map(([from, to]) => [this.#numberOf(from), this.#numberOf(to)])
  }
}

it('a cursor over a log with huge gaps does what one over a log without does', () => {
  const gaps = fc.array(fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(2 ** 44) }), { minLength: size, maxLength: size })
  fc.assert(fc.property(gaps, fc.array(step, { maxLength: 80, size: 'max' }), (between, steps) => {
    let last = 0
    const sparse = new Subject(between.map((gap) => (last += 1 + gap)), true)
    const dense = new Subject(Array.from({ length: size }, (_, each) => each), false)
    for (const each of steps) {
      expect([each, sparse.do(each)]).toEqual([each, dense.do(each)])
      expect(sparse.seen).toEqual(dense.seen)
    }
  }), { numRuns: 150 })
})
