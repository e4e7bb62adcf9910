import type { Offset } from '../../../core/message.js'
import type { DeliveryReport } from './structure.js'

/**
 * Where records lie by the client's reports. Of a batch that the broker had already, because its first answer was lost, it does not say
 * where: the client then reports no offset for the first record, and for the others places counted from 0, which are not true.
 */
export class ReportedOffsets {
  /** By partition: the next place that is only counted. */
  readonly #counted = new Map<string, number>()

  /** Undefined when it is not known. */
  of({ topic, partition, offset }: DeliveryReport): Offset | undefined {
    if (offset >= 0 && this.#counted.size === 0) return BigInt(offset)
    const name = `${topic}/${partition}`
    if (offset < 0 || offset === this.#counted.get(name)) {
      this.#counted.set(name, Math.max(0, offset + 1))
      return undefined
    }
    this.#counted.delete(name)
    return BigInt(offset)
  }
}
