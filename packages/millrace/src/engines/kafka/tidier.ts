import type { Cancel, Clock } from '../../core/clock.js'
import type { KafkaClient } from './port.js'
import type { Rubbish } from './rubbish.js'

/** Keys wait so long, to go together. */
const tidyMs = 1_000
/** What was refused is removed by everybody who still finds it then, as whoever wrote it may be dead. */
const forOthersMs = 5_000

export interface Tidied {
  rubbish(): Rubbish
  /** Resolves when everything that was written before has been read. */
  sync(): Promise<void>
}

/** Removes keys from a ledger's log that are not current. */
export class Tidier {
  readonly #topic: string
  readonly #client: KafkaClient
  readonly #clock: Clock
  readonly #tidied: Tidied
  #cancel: Cancel | undefined
  #isOver = false

  constructor(topic: string, client: KafkaClient, clock: Clock, tidied: Tidied) {
    this.#topic = topic
    this.#client = client
    this.#clock = clock
    this.#tidied = tidied
  }

  /** What there is of the entry was made by a change of ours. */
  throwAway(id: string): void {
    if (this.#tidied.rubbish().claim(id)) this.#soon()
  }

  /** Who was refused may be dead. Only after a look at all there is: whoever lags behind may have misjudged it. */
  throwAwayForOthers(id: string): void {
    this.#clock.after(forOthersMs, () => {
      if (!this.#isOver && this.#tidied.rubbish().has(id)) this.#tidied.sync().then(() => this.throwAway(id), () => undefined)
    })
  }

  throwAllAway(): void {
    if (this.#tidied.rubbish().claimAll()) this.#soon()
  }

  stop(): void {
    this.#isOver = true
    this.#cancel?.()
  }

  #soon(): void {
    if (!this.#isOver) this.#cancel ??= this.#clock.after(tidyMs, () => void this.#tidy())
  }

  async #tidy(): Promise<void> {
    let isDone = true
    for (let keys = this.#tidied.rubbish().next(); isDone && keys.length > 0; keys = this.#tidied.rubbish().next()) isDone = await this.#remove(keys)
    this.#cancel = undefined
    if (this.#tidied.rubbish().isClaimed) this.#soon()
  }

  /** True when all are known to be removed. */
  async #remove(keys: readonly string[]): Promise<boolean> {
    const sent = await this.#client.send(keys.map((key) => ({ topic: this.#topic, partition: 0, key: Buffer.from(key), value: null, headers: [] })))
    const removed = keys.filter((_, index) => 'offset' in (sent[index] ?? {}))
    for (const key of removed) this.#tidied.rubbish().gone(key)
    return removed.length === keys.length
  }
}
