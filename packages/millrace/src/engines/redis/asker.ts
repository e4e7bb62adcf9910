import type { Millis } from '../../core/clock.js'
import { asMillraceError } from '../../core/errors.js'
import type { Ask, ProducerGroup } from '../../core/hold.js'
import type { Check, Decision } from '../../engine/engine.js'
import { carryOut } from './decide.js'
import { holdId } from './held-id.js'
import { encodeHeld, type HeldRow } from './held-row.js'
import { asHeld, type Found, readHeld } from './held-rows.js'
import { changeMessage } from './scripts/change.js'
import type { RedisStore } from './store.js'
import { askedBy, timesOf } from './times.js'

/** Questions that one instance has open, at most. */
const asksAtOnce = 100

/** Asks what became of the transactions of prepared messages, and parks those that nobody could tell about. */
export class Asker {
  readonly #store: RedisStore
  /** A checker of this instance. */
  readonly #checkOf: (group: ProducerGroup) => Check | undefined
  readonly #asking = new Set<Promise<void>>()
  #isOver = false
  #isDead = false

  constructor(store: RedisStore, checkOf: (group: ProducerGroup) => Check | undefined) {
    this.#store = store
    this.#checkOf = checkOf
  }

  /** How many more may be asked about now. */
  get room(): number {
    return this.#isOver ? 0 : asksAtOnce - this.#asking.size
  }

  /** Prepared messages of a partition that are due. Returns when they are claimed or parked. */
  async take(topic: string, partition: number, drafts: readonly string[], wall: Millis): Promise<void> {
    const found = await readHeld(this.#store, drafts.map((draft) => ({ topic, partition, draft })))
    await Promise.all(found.map((each) => this.#ripen(each, wall)))
  }

  /** Resolves when what is asked already was heard. */
  async close(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#asking)
  }

  async #ripen(found: Found, wall: Millis): Promise<void> {
    const { hold } = found.row
    const ask = hold.then
    if (ask === 'release' || hold.until === 'decided') return
    if (wall >= ask.parkAt || (ask.checks <= 0 && wall >= hold.until)) return void (await this.#keep(found, parked(found.row), 'parked'))
    const check = this.#checkOf(ask.ask)
    if (wall < hold.until || !check || this.room <= 0) return
    // Claimed before it is asked about: whoever else looks finds it due only when this question had its time.
    if (await this.#keep(found, claimed(found.row, ask, wall), 'held')) this.#begin(found, check)
  }

  #begin(found: Found, check: Check): void {
    const asking = this.#ask(found, check).catch((error: unknown) => this.#store.report(asMillraceError(error, 'ENGINE_FAILED', 'deciding about a prepared message'))).finally(() => this.#asking.delete(asking))
    this.#asking.add(asking)
  }

  async #ask(found: Found, check: Check): Promise<void> {
    let answer: Awaited<ReturnType<Check>> = 'unknown'
    try {
      answer = await check(asHeld(found))
    } catch {
      // A checker that fails knows nothing: it is asked again.
    }
    const [now] = this.#isDead ? [] : await readHeld(this.#store, [found.place])
    if (!now) return
    const hold = holdId(now.place)
    const decision: Decision | undefined = answer === 'commit' ? { hold, to: 'release' } : answer === 'rollback' ? { hold, to: 'drop' } : undefined
    if (decision) await carryOut(this.#store, now, decision)
    else if (now.row.hold.then !== 'release' && now.row.hold.then.checks <= 0 && now.row.hold.until !== 'decided') await this.#keep(now, parked(now.row), 'parked')
  }

  /** Answers that come now change nothing. */
  quiet(): void {
    this.#isOver = true
    this.#isDead = true
  }

  /** In its place among those that are listed. False when it is another by now. */
  async #keep({ place, row }: Found, after: HeldRow, word: 'held' | 'parked'): Promise<boolean> {
    if (!('draft' in place)) return false
    const { log } = this.#store.names.part(place.topic, place.partition)
    const args = [this.#store.publishes, place.draft, String(row.version), askedBy(row.hold), word, 'keep', encodeHeld(after), ...timesOf(after.hold)]
    return (await this.#store.run(changeMessage, [log], args)) === 1
  }
}

function claimed(row: HeldRow, ask: Ask, wall: Millis): HeldRow {
  return { ...row, hold: { ...row.hold, until: wall + ask.everyMs, then: { ...ask, checks: ask.checks - 1 } } }
}

/** Out of all that ripens: it waits until somebody decides. */
function parked(row: HeldRow): HeldRow {
  return { ...row, hold: { ...row.hold, until: 'decided' } }
}
