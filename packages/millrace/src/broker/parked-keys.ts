import type { Delivery } from '../engine/index.js'

/**
 * Keys of which a message was held for retry, so that later ones that were already on their way are handed back: from
 * the verdict until it is settled and a lease that began before has come back.
 */
export class ParkedKeys {
  readonly #keys = new Map<string, 'held' | 'settled'>()

  add(delivery: Delivery): void {
    this.#keys.set(nameOf(delivery), 'held')
  }

  has(delivery: Delivery): boolean {
    return this.#keys.size > 0 && this.#keys.has(nameOf(delivery))
  }

  settled(delivery: Delivery): void {
    if (this.has(delivery)) this.#keys.set(nameOf(delivery), 'settled')
  }

  /** A lease begins: from now on the engine itself keeps the settled ones' later messages. */
  leasing(): void {
    for (const [name, state] of this.#keys) if (state === 'settled') this.#keys.delete(name)
  }
}

function nameOf({ message: { partition, key } }: Delivery): string {
  return `${partition}/${key}`
}
