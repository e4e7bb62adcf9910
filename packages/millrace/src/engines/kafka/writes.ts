import type { Answer, Change } from './ledger.js'
import type { Part } from './part.js'

/** For each part where it stands, and for each change. Of what is written together only the beginning may have been stored before another claims the part. */
export type PartAnswers = ReadonlyMap<Part | Change, Answer>

/** Gathers what is to be written at the end of a tick: a lease mostly follows the answer to a verdict, as the next verdicts do. */
export class Writes {
  readonly #write: (parts: readonly Part[], changes: readonly Change[]) => Promise<PartAnswers>
  #next: Tick | undefined

  constructor(write: (parts: readonly Part[], changes: readonly Change[]) => Promise<PartAnswers>) {
    this.#write = write
  }

  add(parts: readonly Part[], changes: readonly Change[]): Promise<PartAnswers> {
    const tick = (this.#next ??= this.#begin())
    for (const part of parts) tick.parts.add(part)
    for (const change of changes) tick.changes.push(change)
    return tick.answers
  }

  /** Writes at once what was added before: something that must not overtake it comes next. */
  flush(): void {
    const tick = this.#next
    this.#next = undefined
    tick?.written(this.#write([...tick.parts], tick.changes))
  }

  #begin(): Tick {
    const tick = new Tick()
    // Runs when all that follows from what was just answered has run.
    process.nextTick(() => {
      if (this.#next === tick) this.flush()
    })
    return tick
  }
}

class Tick {
  readonly parts = new Set<Part>()
  readonly changes: Change[] = []
  readonly answers: Promise<PartAnswers>
  written: (answers: Promise<PartAnswers>) => void = () => undefined

  constructor() {
    this.answers = new Promise((resolve) => {
      this.written = resolve
    })
  }
}
