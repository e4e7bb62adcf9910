const everyMs = 1_000

/** Deletes what tests have left on a cluster, a second's worth at a time: one that fills up gets slow. */
export class KafkaSweeper {
  #admin
  #prefixes = new Set()
  #sweeping
  #timer

  constructor(admin) {
    this.#admin = admin
    this.#timer = setInterval(() => this.#sweep(), everyMs)
  }

  static async start(brokers) {
    const { Kafka, logLevel } = await import('kafkajs')
    const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    return new KafkaSweeper(admin)
  }

  /** Topics and groups of this prefix are used no more. */
  add(prefix) {
    this.#prefixes.add(prefix)
  }

  async stop() {
    clearInterval(this.#timer)
    await this.#sweeping
    await this.#sweep()
    await this.#admin.disconnect()
  }

  #sweep() {
    // What the cluster does not answer now is tried again, and is no failure of a test.
    this.#sweeping ??= this.#remove([...this.#prefixes]).catch(() => undefined).finally(() => (this.#sweeping = undefined))
    return this.#sweeping
  }

  async #remove(prefixes) {
    if (prefixes.length === 0) return
    const isTheirs = (name) => prefixes.some((prefix) => name.startsWith(prefix))
    const topics = (await this.#admin.listTopics()).filter(isTheirs)
    if (topics.length > 0) await this.#admin.deleteTopics({ topics }).catch(() => undefined)
    const groups = (await this.#admin.listGroups()).groups.map(({ groupId }) => groupId).filter(isTheirs)
    // One with a member that was killed is refused, and goes when its session is over.
    if (groups.length > 0) await this.#admin.deleteGroups(groups).catch(() => undefined)
    if (groups.length === 0) for (const prefix of prefixes) this.#prefixes.delete(prefix)
  }
}
