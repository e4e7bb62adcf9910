import type { Cancel, Millis } from '../../core/clock.js'
import type { ProducerGroup } from '../../core/hold.js'
import { limits } from '../../core/limits.js'
import type { Check, Keeping, KeepRequest } from '../../engine/engine.js'
import { decide, park, release } from './decide.js'
import type { HeldRecord } from './held-record.js'
import type { Instance } from './instance.js'

/** Released in one turn of the event loop, at most. */
const ripeAtOnce = 10_000
/** Questions that one keeper has open, at most. */
const asksAtOnce = 100
/** Holds that ripen later than this are looked at less often. */
const farMs = 24 * 3_600_000
const farLookMs = 60_000

/** Ripens what is due and asks about prepared messages. It has one timer, for the next that is due. */
export class Keeper implements Keeping {
  readonly #instance: Instance
  readonly #answers: ReadonlyMap<ProducerGroup, Check>
  readonly #toAsk: HeldRecord[] = []
  readonly #asking = new Set<Promise<void>>()
  /** By the wall clock. */
  #lookAt: Millis = Infinity
  #cancel: Cancel | undefined
  #isOver = false

  constructor(instance: Instance, { answers }: KeepRequest) {
    this.#instance = instance
    this.#answers = answers
    instance.keepers.add(this)
    instance.store.keepers.add(this)
    for (const group of answers.keys()) for (const record of instance.store.holds.takeUnasked(group)) this.#ripenAsk(record)
    this.#arm()
  }

  answersFor(group: ProducerGroup): boolean {
    return this.#answers.has(group)
  }

  /** Something ripens then. */
  notice(dueAt: Millis): void {
    if (dueAt < this.#lookAt) this.#arm()
  }

  async stop(): Promise<void> {
    this.quiet()
    await Promise.all(this.#asking)
  }

  /** Stops at once; what is asked already is still heard, unless the process died. */
  quiet(): void {
    this.#isOver = true
    this.#cancel?.()
    this.#toAsk.length = 0
    this.#instance.keepers.delete(this)
    this.#instance.store.keepers.delete(this)
  }

  #arm(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#lookAt = Infinity
    const dueAt = this.#instance.store.holds.nextDue()
    if (dueAt === undefined || this.#isOver) return
    const now = this.#instance.clock.wall()
    // The wall clock may jump to the due time, which no timer notices: so look now and then.
    const mostMs = dueAt - now > farMs ? farLookMs : limits.safetyLookMs
    const waitMs = Math.min(Math.max(0, dueAt - now), mostMs)
    this.#lookAt = now + waitMs
    this.#cancel = this.#instance.clock.after(waitMs, () => this.#look())
  }

  #look(): void {
    const { store, clock } = this.#instance
    for (const record of store.holds.ripe(clock.wall(), ripeAtOnce)) {
      if (record.hold.then === 'release') release(store, record)
      else this.#ripenAsk(record)
    }
    this.#arm()
  }

  #ripenAsk(record: HeldRecord): void {
    const { store, clock } = this.#instance
    const { then } = record.hold
    if (then === 'release') return
    const now = clock.wall()
    const keeper = store.keeperFor(then.ask)
    if (now >= then.parkAt || then.checks <= 0) park(store, record)
    else if (keeper === undefined) store.holds.awaitKeeper(record, then)
    else {
      // Claimed before it is asked: whoever else looks finds it due only when this question had its time.
      store.holds.change(record, { ...record.hold, until: now + then.everyMs, then: { ...then, checks: then.checks - 1 } })
      keeper.#toAsk.push(record)
      keeper.#askNext()
    }
  }

  #askNext(): void {
    while (this.#asking.size < asksAtOnce) {
      const record = this.#toAsk.shift()
      if (record === undefined) return
      if (record.isGone) continue
      const asking = this.#ask(record).finally(() => {
        this.#asking.delete(asking)
        this.#askNext()
      })
      this.#asking.add(asking)
    }
  }

  async #ask(record: HeldRecord): Promise<void> {
    const { then } = record.hold
    const check = then === 'release' ? undefined : this.#answers.get(then.ask)
    let answer: Awaited<ReturnType<Check>> = 'unknown'
    try {
      if (check) answer = await check(record.asHeld())
    } catch {
      // A checker that fails knows nothing: it is asked again.
    }
    const { store, clock, isDead } = this.#instance
    if (record.isGone || isDead) return
    if (answer === 'commit') release(store, record)
    else if (answer === 'rollback') decide(store, { hold: record.id, to: 'drop' }, clock.wall())
    else if (record.hold.then !== 'release' && record.hold.then.checks <= 0 && record.hold.until !== 'decided') park(store, record)
  }
}
