/**
 * What our names are on a cluster: a prefix keeps several stores apart. Names of users begin with a letter or digit, so
 * that those with an underscore are free.
 */
export class Names {
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /** A topic's messages. */
  topic(name: string): string {
    return this.#prefix + name
  }

  group(name: string): string {
    return this.#prefix + name
  }

  /** Which topics there are, with their settings. */
  get registry(): string {
    return `${this.#prefix}_millrace`
  }

  /** What is known of one topic beside its messages: groups, where they stand, what is held. */
  ledger(topic: string): string {
    return `${this.#prefix}_millrace.${topic}`
  }
}
