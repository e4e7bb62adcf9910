import type { Delivery, Outcome, Verdict } from '../engine/index.js'
import { lost } from './judge.js'
import { ParkedKeys } from './parked-keys.js'
import type { Run } from './run.js'
import { finished, type Settler } from './settler.js'
import { Changes, unlessAborted } from './waiting.js'
import type { Work } from './work.js'

export type Fits = (run: Run) => boolean

/**
 * What every way of working shares: the count of what is in hand, partitions that leave, keys that are parked, the end.
 * How runs wait and how they run is the subclass's.
 */
export abstract class WorkInHand implements Work {
  protected readonly settler: Settler
  /** Told when something has ended. */
  protected readonly changes = new Changes()
  readonly #room: () => void
  readonly #draining = new Set<number>()
  readonly #parked = new ParkedKeys()
  #inHand = 0
  #isPaused = false
  #isClosing = false

  constructor(settler: Settler, room: () => void) {
    this.settler = settler
    this.#room = room
  }

  /** Puts what was leased in line. */
  protected abstract enqueue(delivery: Delivery): void
  /** Starts what may start. */
  protected abstract pump(): void
  protected abstract isRunning(fits: Fits): boolean
  /** Takes out what waits or rests. */
  protected abstract takeWaiting(fits: Fits): readonly Run[]
  /** Aborts what runs: a late result is ignored. */
  protected abstract abortRunning(fits: Fits, why: unknown): readonly Run[]
  /** Forgets what runs. */
  protected abstract clear(): void

  protected get mayStart(): boolean {
    return !this.#isPaused && !this.#isClosing
  }

  get inHand(): number {
    return this.#inHand
  }

  leasing(): void {
    this.#parked.leasing()
  }

  take(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) this.#admit(delivery)
    this.pump()
  }

  pause(paused: boolean): void {
    this.#isPaused = paused
    this.pump()
  }

  async drain(partitions: readonly number[], signal: AbortSignal): Promise<void> {
    const leaving = new Set(partitions)
    for (const partition of leaving) this.#draining.add(partition)
    const fits = (run: Run): boolean => leaving.has(run.partition)
    this.#dropWaiting(fits)
    const abort = (): void => this.#dropRunning(fits, lost(signal.reason))
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    await this.changes.until(() => !this.isRunning(fits))
    await unlessAborted(signal, this.settler.flushed())
    signal.removeEventListener('abort', abort)
    for (const partition of leaving) this.#draining.delete(partition)
  }

  handBack(): void {
    this.#isClosing = true
    this.#giveBack(this.takeWaiting(all))
  }

  idle(): Promise<void> {
    return this.changes.until(() => !this.isRunning(all))
  }

  flushed(): Promise<void> {
    return this.settler.flushed()
  }

  abort(why: unknown): void {
    this.#dropRunning(all, why)
    this.clear()
  }

  abandon(why: unknown): void {
    this.#isClosing = true
    this.settler.abandon()
    this.#dropWaiting(all)
    this.abort(why)
    this.#inHand = 0
  }

  over(verdicts: readonly Verdict[], outcomes: readonly Outcome[]): void {
    for (const verdict of finished(verdicts, outcomes, (delivery) => this.#lapse(delivery))) {
      this.#inHand -= 1
      if (verdict.is === 'hold') this.#parked.settled(verdict.delivery)
    }
    this.#room()
  }

  /** Whether a run that failed may go again here: not when its partition leaves, nor at the end. */
  protected staysInHand(run: Run): boolean {
    if (this.#draining.has(run.partition)) this.#inHand -= 1
    else if (this.#isClosing) this.#giveBack([run])
    else return true
    return false
  }

  /** What is in hand of this key and comes later goes behind it. */
  protected park(delivery: Delivery): void {
    const { partition, key } = delivery.message
    if (key === null) return
    this.#parked.add(delivery)
    this.#giveBack(this.takeWaiting((run) => run.partition === partition && run.delivery.message.key === key))
  }

  #admit(delivery: Delivery): void {
    this.settler.cameAgain(delivery)
    if (this.#draining.has(delivery.message.partition)) return
    this.#inHand += 1
    if (this.#isClosing || this.#parked.has(delivery)) this.settler.add({ is: 'back', delivery })
    else this.enqueue(delivery)
  }

  /** The membership has lost a partition. Should it still be ours after all, the engine gets back what is dropped here. */
  #lapse({ message: { partition }, epoch }: Delivery): void {
    const fits = ({ delivery }: Run): boolean => delivery.message.partition === partition && delivery.epoch <= epoch
    this.#giveBack([...this.takeWaiting(fits), ...this.abortRunning(fits, lost(undefined))])
    this.pump()
  }

  #giveBack(runs: readonly Run[]): void {
    for (const { delivery } of runs) this.settler.add({ is: 'back', delivery })
  }

  #dropWaiting(fits: Fits): void {
    this.#inHand -= this.takeWaiting(fits).length
    this.#room()
  }

  #dropRunning(fits: Fits, why: unknown): void {
    this.#inHand -= this.abortRunning(fits, why).length
    this.#room()
    this.pump()
  }
}

function all(): boolean {
  return true
}
