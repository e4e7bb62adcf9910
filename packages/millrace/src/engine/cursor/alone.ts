/** Which member of an instance runs a suspect, that may end the process: one at a time. */
export class Alone {
  #by: object | undefined
  readonly #free = new Set<() => void>()

  isFreeFor(member: object): boolean {
    return this.#by === undefined || this.#by === member
  }

  begin(member: object): void {
    this.#by = member
  }

  end(member: object): void {
    if (this.#by !== member) return
    this.#by = undefined
    for (const tell of [...this.#free]) tell()
  }

  /** Calls when it becomes free. */
  whenFree(tell: () => void): () => void {
    this.#free.add(tell)
    return () => this.#free.delete(tell)
  }
}
