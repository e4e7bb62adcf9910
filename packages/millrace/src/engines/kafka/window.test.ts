import { describe, expect, it } from 'vitest'
import { HandClock } from '../../testing/hand-clock.js'
import type { KeptHold } from './book.js'
import { Due } from './due.js'
import type { Entry } from './ledger.js'
import { keyOf } from './rubbish.js'
import { Waiting, type Waits } from './waiting.js'
import { Window } from './window.js'

const minute = 60_000

function keptHold({ id, version }: Pick<Entry, 'id' | 'version'>, until: number): KeptHold {
  const message = { id, topic: 't', partition: 0, offset: null, key: null, value: null, headers: [], timestamp: 0, producerId: '', kind: 'delay' as const }
  const row = { hold: { why: 'delay' as const, until, then: 'release' as const, attempt: 0 }, heldAt: 0, partition: 0, offset: null, blocks: false, park: false, message }
  return { id, row, version, epoch: 0, order: version }
}

/** A window of a log in memory, and what was read of that. */
function make() {
  const clock = new HandClock()
  const waiting = new Waiting()
  const due = new Due(({ row: { hold } }) => (hold.until === 'decided' ? undefined : hold.until))
  const reads: (readonly string[])[] = []
  let version = 0n
  let isBroken = false
  const dueOf = (id: string): number => waiting.get(id)?.due ?? NaN
  const sweepLog = async function* (waits: readonly Waits[]) {
    await Promise.resolve()
    if (isBroken) throw new Error('the broker is away')
    reads.push(waits.map(({ id }) => id))
    yield waits.filter((each) => waiting.get(each.id)?.version === each.version).map((each) => keptHold(each, each.due))
  }
  const window = new Window({ clock, report: () => undefined }, { topic: 't', waiting, keptHold: (entry) => keptHold(entry, dueOf(entry.id)) }, sweepLog, due, () => undefined)
  return {
    clock,
    window,
    reads,
    breakLog: (isSo: boolean) => (isBroken = isSo),
    /** Writes one, and tells of it. */
    hold(id: string, inMs: number, bytes = 1): void {
      version += 1n
      const entry = { id, key: keyOf(id, 'v'), version, due: clock.wall() + inMs, bytes, epoch: 0 }
      waiting.delete(id)
      waiting.add(entry)
      window.changed(id, { ...entry, value: Buffer.alloc(bytes) })
    },
    end(id: string): void {
      waiting.delete(id)
      window.changed(id, undefined)
    },
    async look(times = 1): Promise<void> {
      for (let time = 0; time < times; time += 1) {
        window.look()
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
    ripe: (inMs: number) => due.ripe(clock.wall() + inMs, 1_000).map(({ id }) => id),
  }
}

describe('the window of what waits', () => {
  it('reads first what is due at once, then what is due in some minutes, each once', async () => {
    const { hold, look, reads, ripe } = make()
    hold('late', 30 * minute)
    hold('soon', 5 * minute)
    hold('now', -minute)
    await look(4)
    expect([reads, ripe(10 * minute)]).toEqual([[['now'], ['soon']], ['now', 'soon']])
  })

  it('reads on when its time is nearly over', async () => {
    const { clock, hold, look, reads } = make()
    hold('late', 12 * minute)
    await look(2)
    await clock.advance(9.5 * minute)
    await look()
    expect(reads).toEqual([])
    await clock.advance(0.4 * minute)
    await look()
    expect(reads).toEqual([['late']])
  })

  it('keeps what is written and due soon, without reading it', async () => {
    const { end, hold, look, reads, ripe } = make()
    await look(2)
    hold('one', minute)
    hold('two', minute)
    hold('late', 30 * minute)
    hold('two', 2 * minute)
    end('one')
    expect([reads, ripe(20 * minute)]).toEqual([[], ['two']])
  })

  it('has no more in memory than there is room for, of what is due first', async () => {
    const { clock, end, hold, look, reads, ripe } = make()
    await look(2)
    for (let index = 1; index <= 5; index += 1) hold(`m${index}`, index * minute, 30 * 2 ** 20)
    expect(ripe(10 * minute)).toEqual(['m1', 'm2'])
    await clock.advance(3 * minute - 1_000)
    await look()
    expect([reads, ripe(10 * minute)]).toEqual([[['m3', 'm4']], ['m1', 'm2', 'm3', 'm4']])
    for (const id of ['m1', 'm2', 'm3']) end(id)
    await clock.advance(2 * minute)
    await look()
    expect(ripe(10 * minute)).toEqual(['m4', 'm5'])
  })

  it('reads again what could not be read', async () => {
    const { breakLog, clock, hold, look, ripe } = make()
    hold('one', minute)
    breakLog(true)
    await look(3)
    expect(ripe(minute)).toEqual([])
    breakLog(false)
    await clock.advance(0.9 * minute)
    await look()
    expect(ripe(0.1 * minute)).toEqual(['one'])
  })

  it('forgets all, and reads it anew', async () => {
    const { hold, look, reads, ripe, window } = make()
    hold('one', minute)
    await look(2)
    window.forget()
    expect(ripe(minute)).toEqual([])
    await look(2)
    expect([reads, ripe(minute)]).toEqual([[['one'], ['one']], ['one']])
  })
})
