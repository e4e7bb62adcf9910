import { asMillraceError } from '../../core/errors.js'
import type { Confirmation } from './durability.js'
import { offsetOf, streamId } from './offset.js'
import { mayCutUnread } from './feed.js'
import type { Part, PartWrite } from './part.js'
import type { Argument, Reply } from './port.js'
import { commit } from './scripts/commit.js'
import type { RedisStore } from './store.js'

/** stored: it counts. lapsed: the part is another's by now, nothing changed. unknown: it may count; it goes on being written. */
export type Committed = 'stored' | 'lapsed' | 'unknown'

/** Before a commit whose answer got lost is sent again. */
const againMs = 250
/** So long the last one is sent again. After that the cursor stays ours there, until a look finds it so. */
const lastMs = 5_000
/** One that goes on failing is reported again after so many tries. */
const reportEvery = 40

export interface CommitEvents {
  /** What was told to the owner: offsets of held messages, each with its row as it is now. */
  news(about: readonly (readonly [offset: number, row: Buffer | null])[]): void
  /** The part is another's. */
  lapsed(): void
}

/** Writes where a part stands: one commit at a time, and what comes meanwhile goes with the next. One whose answer is lost is sent until it is known. */
export class Commits {
  readonly #store: RedisStore
  readonly #part: Part
  readonly #log: string
  readonly #who: { readonly group: string; readonly membership: string }
  readonly #events: CommitEvents
  #next: Turn | undefined
  #isRunning = false
  #isOver = false
  #version: number
  /** How many news the last answer had: they need not come again. */
  #heeded = 0

  constructor(store: RedisStore, part: Part, who: { readonly group: string; readonly membership: string }, events: CommitEvents) {
    this.#store = store
    this.#part = part
    this.#log = store.part(part.topic, part.partition).log
    this.#who = who
    this.#events = events
    this.#version = part.row.version
  }

  /**
   * Writes what the part has at the end of this tick at the earliest: a lease mostly follows the answer to a verdict, as the next verdicts do.
   * `confirmed`: it is to survive what the topic's durability says.
   */
  add(confirmed = false): Promise<Committed> {
    if (this.#isOver) return Promise.resolve('lapsed')
    if (!this.#next) {
      this.#next = new Turn()
      process.nextTick(() => this.#start())
    }
    if (confirmed) this.#next.isConfirmed = true
    return this.#next.answer
  }

  /** Writes what there is and lets go of the part. Once: nothing is written after it. */
  async release(): Promise<void> {
    const turn = (this.#next ??= new Turn())
    turn.isLast = true
    this.#start()
    await turn.answer
  }

  /** Writes nothing more. */
  stop(): void {
    this.#isOver = true
    this.#next?.end('lapsed')
    this.#next = undefined
  }

  #start(): void {
    if (!this.#isRunning && this.#next) void this.#run()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#next && !this.#isOver) {
      const turn = this.#next
      this.#next = undefined
      turn.end(await this.#write(turn))
    }
    this.#isRunning = false
  }

  async #write(turn: Turn): Promise<Committed> {
    const write = this.#part.write()
    const args = this.#arguments(write, turn.isLast)
    const began = this.#store.clock.monotonic()
    for (let tries = 0; ; tries += 1) {
      try {
        const { reply, error } = await this.#store.writes.run(commit, [this.#log], args, turn.isConfirmed ? this.#confirmation : undefined)
        const answer = this.#answered(write, turn.isLast, reply)
        return answer === 'stored' && error ? 'unknown' : answer
      } catch (error) {
        if (this.#isOver || (turn.isLast && this.#store.clock.monotonic() - began > lastMs)) return 'unknown'
        if (tries % reportEvery === 0) this.#store.report(asMillraceError(error, 'ENGINE_FAILED', `writing where group ${this.#who.group} stands in ${this.#log}`))
        if (!turn.isLast) turn.end('unknown')
      }
      await new Promise<void>((resolve) => this.#store.clock.after(againMs, resolve))
      if (this.#isOver) return 'unknown'
    }
  }

  get #confirmation(): Confirmation | undefined {
    return this.#store.guarantees.confirmation(this.#store.topics.get(this.#part.topic)?.durability)
  }

  #arguments({ fields, held, tail, read }: PartWrite, isLast: boolean): Argument[] {
    const { group, membership } = this.#who
    const head = [this.#store.publishes, group, this.#part.epoch, membership, this.#version + 1, tail === undefined ? '' : streamId(tail)]
    const isCut = mayCutUnread(this.#store.topics.get(this.#part.topic))
    return [...head, isCut ? read : '', this.#heeded, isLast ? 1 : 0, fields.length * 2, ...fields.flat(), ...held.flatMap(({ offset, row, due }) => [offset, row ?? '', due])]
  }

  #answered(write: PartWrite, isLast: boolean, reply: Reply): Committed {
    if (!Array.isArray(reply)) {
      this.stop()
      this.#events.lapsed()
      return 'lapsed'
    }
    this.#version += 1
    this.#part.written(write)
    if (isLast) this.stop()
    else this.#told(reply)
    return 'stored'
  }

  #told([count, about, first]: readonly Reply[]): void {
    this.#heeded = Number(count)
    if (Buffer.isBuffer(first) && this.#part.cut(offsetOf(first))) void this.add()
    const list = Array.isArray(about) ? (about as readonly Reply[]) : []
    if (list.length === 0) return
    this.#events.news(pairsOf(list))
    // Those that are heeded are taken out with the next commit, which brings more where there are many.
    void this.add()
  }
}

/** What is written together, and who waits for it. */
class Turn {
  readonly answer: Promise<Committed>
  isLast = false
  isConfirmed = false
  end: (answer: Committed) => void = () => undefined

  constructor() {
    this.answer = new Promise((resolve) => {
      this.end = resolve
    })
  }
}

function pairsOf(list: readonly Reply[]): readonly (readonly [offset: number, row: Buffer | null])[] {
  const pairs: (readonly [number, Buffer | null])[] = []
  for (let index = 0; index + 1 < list.length; index += 2) {
    const row = list[index + 1]
    pairs.push([Number(String(list[index])), Buffer.isBuffer(row) ? row : null])
  }
  return pairs
}
