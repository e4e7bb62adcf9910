import type { Failure } from '../../core/hold.js'
import type { Delivery, JoinRequest, LeaseRequest, Membership, Outcome, Verdict } from '../../engine/engine.js'
import type { Link } from './link.js'
import type { LeaseAnswer, SettleBatch } from './protocol.js'
import { readRecord } from '../../engine/record.js'
import type { AgainId } from './store/rows.js'

/** A delivery that remembers where in the store it came from. */
interface StoreDelivery extends Delivery {
  readonly again?: AgainId
}

let waits = 0

/** A membership, as the application's thread sees it. */
export class EmbeddedMembership implements Membership {
  readonly #link: Link
  readonly #handle: number
  readonly #request: JoinRequest
  readonly #revoking = new Map<number, AbortController>()

  constructor(link: Link, handle: number, request: JoinRequest) {
    this.#link = link
    this.#handle = handle
    this.#request = request
  }

  async lease({ max, waitMs, signal }: LeaseRequest): Promise<readonly Delivery[]> {
    const wait = (waits += 1)
    const stop = (): void => void this.#link.call('unwait', [wait]).catch(() => undefined)
    signal?.addEventListener('abort', stop, { once: true })
    try {
      return this.#unpack(await this.#link.call('lease', [{ member: this.#handle, max, waitMs, wait }]))
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  settle(verdicts: readonly Verdict[]): Promise<readonly Outcome[]> {
    return this.#link.call('settle', [this.#pack(verdicts)])
  }

  async leave(): Promise<void> {
    await this.#link.call('leave', [this.#handle])
    for (const controller of this.#revoking.values()) controller.abort()
  }

  /** The store wants these partitions for another member. */
  async revoke(partitions: readonly number[]): Promise<void> {
    const controller = new AbortController()
    for (const partition of partitions) this.#revoking.set(partition, controller)
    await this.#revoke(partitions, controller.signal)
    for (const partition of partitions) this.#revoking.delete(partition)
    await this.#link.call('released', [this.#handle, partitions]).catch(() => undefined)
  }

  /** They are no longer ours: what still runs there is in vain. */
  lost(partitions: readonly number[]): void {
    const fresh = partitions.filter((partition) => !this.#revoking.has(partition))
    for (const partition of partitions) this.#revoking.get(partition)?.abort()
    if (fresh.length > 0) void this.#revoke(fresh, AbortSignal.abort())
  }

  async #revoke(partitions: readonly number[], signal: AbortSignal): Promise<void> {
    try {
      await this.#request.revoke(partitions, signal)
    } catch {
      // A consumer that fails to drain has drained: what it left unfinished is handed back.
    }
  }

  #unpack({ bytes, ends, partition, offset, attempt, epoch, special }: LeaseAnswer): Delivery[] {
    const records = Buffer.from(bytes)
    let start = 0
    return Array.from(ends, (end, index): StoreDelivery => {
      const record = records.subarray(start, (start = end))
      const place = { topic: this.#request.topic, partition: partition[index] ?? 0, offset: BigInt(offset[index] ?? 0) }
      const more: { again: AgainId; alone: boolean; failure?: Failure } | undefined = special.get(index)
      return { message: readRecord(record, place), attempt: attempt[index] ?? 1, epoch: epoch[index] ?? 0, alone: false, ...more }
    })
  }

  #pack(verdicts: readonly Verdict[]): SettleBatch {
    const size = verdicts.length
    const batch = { partition: new Uint32Array(size), offset: new Float64Array(size), epoch: new Float64Array(size) }
    const special = new Map<number, NonNullable<ReturnType<SettleBatch['special']['get']>>>()
    verdicts.forEach((verdict, index) => {
      const delivery: StoreDelivery = verdict.delivery
      batch.partition[index] = delivery.message.partition
      batch.offset[index] = Number(delivery.message.offset)
      batch.epoch[index] = delivery.epoch
      if (verdict.is === 'done' && !delivery.again) return
      special.set(index, {
        is: verdict.is,
        ...(verdict.is === 'hold' ? { hold: verdict.hold } : {}),
        ...(delivery.again ? { again: delivery.again } : {}),
      })
    })
    return { member: this.#handle, ...batch, special }
  }
}
