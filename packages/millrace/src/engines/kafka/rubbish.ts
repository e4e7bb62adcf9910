/** A key of a ledger's log names an entry and a version of it. */
export function keyOf(id: string, version: string): string {
  return `${id}\n${version}`
}

export function idOf(key: string): string {
  return key.slice(0, key.indexOf('\n'))
}

/**
 * Keys that are in a ledger's log and are not current. Whoever reads the log later judges each change by what was before it, so an entry's keys are
 * removed in an order that leaves it the end of a history: first what was refused, then what was accepted, the oldest first, and each only when
 * those before it are known to be removed. Else one that was ended, or refused, could rise again.
 */
export class Rubbish {
  /** By entry, in the order of the log; with what is true of those that were accepted. */
  readonly #keys = new Map<string, Map<string, boolean>>()
  /** Entries whose keys this instance removes. */
  readonly #ours = new Set<string>()

  /** Another version has taken its place, or it was an end. */
  addPast(key: string): void {
    this.#add(key, true)
  }

  /** It changed nothing: it was refused, or ended what was not there. */
  addIdle(key: string): void {
    this.#add(key, false)
  }

  /** It is removed. */
  gone(key: string): void {
    const id = idOf(key)
    const keys = this.#keys.get(id)
    keys?.delete(key)
    if (keys?.size === 0) this.#keys.delete(id)
  }

  has(id: string): boolean {
    return this.#keys.has(id)
  }

  /** This instance removes the entry's keys; false when there are none. */
  claim(id: string): boolean {
    const isAny = this.has(id)
    if (isAny) this.#ours.add(id)
    return isAny
  }

  /** Of entries whose keys nobody may remove any more. True when there are some. */
  claimAll(): boolean {
    for (const id of this.#keys.keys()) this.#ours.add(id)
    return this.#ours.size > 0
  }

  /** There may be something to remove. */
  get isClaimed(): boolean {
    return this.#ours.size > 0
  }

  /** What may be removed now; then there may be more. */
  next(): readonly string[] {
    return [...this.#ours].flatMap((id) => {
      const keys = [...(this.#keys.get(id) ?? [])]
      if (keys.length === 0) this.#ours.delete(id)
      const idle = keys.filter(([, wasAccepted]) => !wasAccepted)
      return (idle.length > 0 ? idle : keys.slice(0, 1)).map(([key]) => key)
    })
  }

  #add(key: string, wasAccepted: boolean): void {
    const id = idOf(key)
    const keys = this.#keys.get(id)
    if (keys) keys.set(key, wasAccepted)
    else this.#keys.set(id, new Map([[key, wasAccepted]]))
  }
}
