import type { Cancel, Millis } from '../core/clock.js'
import { TurnedClock } from '../core/turned-clock.js'

type Turned = () => Promise<Millis | undefined>

/** A clock that stands still until a test turns it. Wall and monotonic time move together, unless `jumpWall` parts them. */
export class HandClock extends TurnedClock {
  readonly #time: Float64Array
  readonly #turned = new Set<Turned>()
  #wallAtZero: Millis

  constructor(wall: Millis = Date.UTC(2026, 0, 1)) {
    const shared = new SharedArrayBuffer(16)
    super(shared)
    this.#time = new Float64Array(shared)
    this.#wallAtZero = wall
    this.#turn(0)
  }

  onTurn(call: Turned): Cancel {
    this.#turned.add(call)
    return () => this.#turned.delete(call)
  }

  /** Lets `ms` pass, stopping at every timer of every thread that reads this clock. Resolves when all have run. */
  advance(ms: Millis): Promise<void> {
    return this.#pass(ms, () => this.#settle())
  }

  /** Lets `ms` pass for the other threads alone, as when this one is busy: its timers fire when time next passes for it. */
  stall(ms: Millis): Promise<void> {
    return this.#pass(ms, () => this.#settleOthers())
  }

  async #pass(ms: Millis, settle: () => Promise<Millis | undefined>): Promise<void> {
    const end = this.monotonic() + ms
    let next = await settle()
    while (this.monotonic() < end) {
      this.#turn(Math.min(next ?? end, end))
      next = await settle()
    }
  }

  /** Moves the wall clock alone, as a wrong NTP step does. */
  async jumpWall(ms: Millis): Promise<void> {
    this.#wallAtZero += ms
    this.#turn(this.monotonic())
    await this.#settle()
  }

  /** The wall clock is set, not moved on: sums of small steps would part the two. */
  #turn(monotonic: Millis): void {
    this.#time[0] = this.#wallAtZero + monotonic
    this.#time[1] = monotonic
  }

  async #settle(): Promise<Millis | undefined> {
    this.fire()
    const next = await this.#settleOthers()
    await settled()
    this.fire()
    return earliest([next, this.nextDue()], this.monotonic())
  }

  async #settleOthers(): Promise<Millis | undefined> {
    return earliest(await Promise.all([...this.#turned].map((call) => call())), this.monotonic())
  }
}

/** Lets everything that is ready to run, run. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

function earliest(dues: readonly (Millis | undefined)[], now: Millis): Millis | undefined {
  const times = dues.filter((due) => due !== undefined)
  return times.length === 0 ? undefined : Math.max(Math.min(...times), now + 0.001)
}
