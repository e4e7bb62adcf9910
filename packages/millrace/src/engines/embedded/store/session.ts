import type { Cancel, Clock } from '../../../core/clock.js'
import { asMillraceError, type MillraceError } from '../../../core/errors.js'
import { limits } from '../../../core/limits.js'
import type { ProducerGroup } from '../../../core/hold.js'
import type { Stir } from '../../../engine/engine.js'
import type { Reply, Request, Verbs } from '../protocol.js'
import type { Bell } from './bell.js'
import { publishBatch, reads, settleBatch, wireError, writes } from './commands.js'
import * as janitor from './janitor.js'
import { claimAsks, ripen } from './ripen.js'
import * as holds from './holds.js'
import { Roster } from './roster.js'
import { type Outcome, outcome } from './outcome.js'
import type { Store } from './store.js'
import type { Txn } from './txn.js'
import { Waiters } from './waiters.js'

/** Longest time between two looks at the members of the groups. */
const longestLookMs = 500
/** Messages that one commit of the keeper or the janitor moves, so that others get their turn. */
const choreBatch = 1_000

type Post = (reply: Reply, transfer?: ArrayBuffer[]) => void
type Handler = (txn: Txn, ...args: never[]) => unknown

interface Work {
  readonly run: (txn: Txn) => unknown
  readonly answer: (result: unknown) => void
  readonly refuse: (error: MillraceError) => void
}

/** One process's use of a store. What arrives while a commit is written goes into the next one together. */
export class Session {
  readonly #store: Store
  readonly #clock: Clock
  readonly #bell: Bell
  readonly #post: Post
  readonly #maxBytes: number
  readonly #roster: Roster
  readonly #waiters: Waiters
  readonly #keepings = new Map<number, readonly ProducerGroup[]>()
  readonly #timers = new Map<string, Cancel>()
  readonly #verbs: ReadonlyMap<string, Handler>
  /** `membersChanged` when the members were last looked at for a bell. */
  #membersSeen = -1
  #queue: Work[] = []
  /** Asked back in the commit that is being written. */
  #revoking: Reply[] = []
  #isScheduled = false
  #isOver = false

  constructor(store: Store, clock: Clock, bell: Bell, settings: { readonly maxBytes: number; readonly alive: () => number }, post: Post) {
    this.#store = store
    this.#clock = clock
    this.#bell = bell
    this.#maxBytes = settings.maxBytes
    this.#post = post
    this.#roster = new Roster(clock, settings.alive, {
      revoke: (member, partitions) => this.#revoking.push({ event: 'revoke', member, partitions }),
      lost: (member, partitions) => {
        this.#waiters.endMember(member)
        post({ event: 'lost', member, partitions })
      },
      overdue: (member, partitions) => this.#overdue(member, partitions),
    })
    this.#waiters = new Waiters(clock, this.#roster, (call, answer) => post({ call, ok: answer }, [answer.bytes]))
    this.#verbs = new Map<string, Handler>(Object.entries({ ...reads, ...writes, ...this.#own() }))
    this.#armLook()
    this.#armClean()
  }

  receive(requests: readonly Request[]): void {
    for (const request of requests) this.#accept(request)
  }

  /** Another process has news. */
  rung(): void {
    if (this.#isOver) return
    this.#post({ event: 'stirs', stirs: [{ what: 'ready' }, { what: 'room' }, { what: 'held' }, { what: 'members' }] })
    this.#lookIfChanged()
    this.#wake()
    this.#armKeeper()
  }

  /** Runs all that waits for a commit, at once. */
  flush(): void {
    while (this.#queue.length > 0) this.#commit()
  }

  stop(): void {
    this.#isOver = true
    for (const cancel of this.#timers.values()) cancel()
    this.#waiters.endAll()
    this.#bell.close()
  }

  #accept({ call, verb, args }: Request): void {
    const answer = (ok: unknown): void => this.#post({ call, ok })
    const refuse = (error: MillraceError): void => this.#post({ call, error: wireError(error) })
    if (verb === 'lease') {
      const [ask] = args as Parameters<Verbs['lease']>
      this.#enqueue({ run: (txn) => this.#waiters.lease(txn, call, ask), answer: () => undefined, refuse })
      return
    }
    const handler = this.#verbs.get(verb)
    const run = (txn: Txn): unknown => handler?.(txn, ...(args as never[]))
    if (verb in reads) this.#look(run, answer, refuse)
    else this.#enqueue({ run, answer, refuse })
  }

  #look(run: (txn: Txn) => unknown, answer: Work['answer'], refuse: Work['refuse']): void {
    try {
      answer(this.#store.read(run))
    } catch (error) {
      refuse(asMillraceError(error, 'ENGINE_FAILED', 'the store failed'))
    }
  }

  /** Verbs that touch what only this session knows. */
  #own() {
    return {
      publish: (txn: Txn, batch: Parameters<Verbs['publish']>[0]) => publishBatch(txn, batch, this.#maxBytes),
      join: (txn: Txn, request: Parameters<Verbs['join']>[0]) => this.#roster.join(txn, request),
      unwait: (_: Txn, wait: number) => this.#waiters.end(wait),
      settle: (txn: Txn, batch: Parameters<Verbs['settle']>[0]) => settleBatch(txn, this.#roster.get(batch.member), batch),
      released: (txn: Txn, member: number, partitions: readonly number[]) => this.#roster.released(txn, member, partitions),
      leave: (txn: Txn, member: number) => {
        this.#waiters.endMember(member)
        this.#roster.leave(txn, member)
      },
      keep: (_: Txn, keeping: number, producerGroups: readonly ProducerGroup[]) => {
        this.#keepings.set(keeping, producerGroups)
        this.#armKeeper()
      },
      unkeep: (_: Txn, keeping: number) => {
        this.#keepings.delete(keeping)
        this.#armKeeper()
      },
    }
  }

  #enqueue(work: Work): void {
    if (this.#isOver) return
    this.#queue.push(work)
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      if (!this.#isOver) this.#commit()
    })
  }

  /** Work of the session's own. It is tried again at the next look when it fails. */
  #chore(run: (txn: Txn) => unknown, answer: (result: unknown) => void = () => undefined): void {
    this.#enqueue({ run, answer, refuse: () => undefined })
  }

  #commit(): void {
    const batch = this.#queue
    this.#queue = []
    if (batch.length === 0) return
    try {
      this.#commitTogether(batch)
    } catch (error) {
      if (batch.length === 1) batch[0]?.refuse(asMillraceError(error, 'ENGINE_FAILED', 'the store failed'))
      else for (const work of batch) this.#commitAlone(work)
    }
  }

  #commitAlone(work: Work): void {
    try {
      this.#commitTogether([work])
    } catch (error) {
      work.refuse(asMillraceError(error, 'ENGINE_FAILED', 'the store failed'))
    }
  }

  #commitTogether(batch: readonly Work[]): void {
    const done = this.#write(batch)
    this.#roster.committed()
    this.#waiters.committed()
    this.#revoke()
    done.results.forEach((result, index) => {
      if ('error' in result) batch[index]?.refuse(result.error)
      else batch[index]?.answer(result.ok)
    })
    if (done.stirs.length > 0) this.#tell(done.stirs)
  }

  #write(batch: readonly Work[]): { readonly results: readonly Outcome[]; readonly stirs: readonly Stir[] } {
    try {
      return this.#store.write((txn) => {
        this.#roster.beat(txn)
        const results = batch.map(({ run }) => outcome(() => run(txn)))
        // In this commit and not in the next: what came or ripened is half as long under way.
        if (txn.stirs.size > 0 && this.#waiters.isAnyReady(txn)) outcome(() => this.#waiters.retry(txn))
        return { results, stirs: [...txn.stirs.values()] }
      })
    } catch (error) {
      this.#waiters.undone()
      this.#roster.undone()
      throw error
    }
  }

  /** Only now: what a member has leased in the same commit must be in its hands before it is asked to finish it. */
  #revoke(): void {
    for (const event of this.#revoking.splice(0)) this.#post(event)
  }

  #tell(stirs: readonly Stir[]): void {
    this.#post({ event: 'stirs', stirs })
    this.#bell.ring()
    if (stirs.some(({ what }) => what === 'members')) this.#chore((txn) => this.#roster.look(txn))
    if (stirs.some(({ what }) => what === 'held')) this.#armKeeper()
    this.#wake()
  }

  /** Tries the leases that wait, if there is something for them. */
  #wake(): void {
    if (this.#waiters.size === 0 || !this.#store.read((txn) => this.#waiters.isAnyReady(txn))) return
    this.#chore((txn) => this.#waiters.retry(txn))
  }

  #after(name: string, ms: number, call: () => void): void {
    this.#timers.get(name)?.()
    this.#timers.set(name, this.#clock.after(ms, call))
  }

  #armLook(): void {
    this.#after('look', this.#roster.lookEveryMs(longestLookMs), () => {
      this.#chore((txn) => this.#roster.look(txn))
      this.#wake()
      this.#armLook()
    })
  }

  #armClean(): void {
    this.#after('clean', limits.safetyLookMs, () => {
      if (this.#store.read(janitor.isDirty)) this.#clean()
      this.#armClean()
    })
  }

  /** Goes on until nothing is left to remove: a store that is read fast must be cleaned as fast. */
  #clean(): void {
    this.#chore(
      (txn) => janitor.clean(txn, choreBatch),
      (isMore) => {
        if (isMore === true) this.#clean()
      },
    )
  }

  /** A look writes, and would hold up every other process if each had one at each bell. */
  #lookIfChanged(): void {
    const changed = this.#store.read((txn) => txn.membersChanged)
    if (changed === this.#membersSeen) return
    this.#membersSeen = changed
    this.#chore((txn) => this.#roster.look(txn))
  }

  #overdue(member: number, partitions: readonly number[]): void {
    this.#post({ event: 'lost', member, partitions })
    this.#chore((txn) => this.#roster.released(txn, member, partitions))
  }

  /** One timer for the next hold that is due, and a safety look for those that others hold. */
  #armKeeper(): void {
    this.#timers.get('keeper')?.()
    if (this.#keepings.size === 0 || this.#isOver) return
    const due = this.#store.read((txn) => holds.nextDue(txn, this.#answered()))
    const ms = due === undefined ? Infinity : Math.max(0, due - this.#clock.wall())
    this.#after('keeper', Math.min(ms, limits.safetyLookMs), () => this.#ripen())
  }

  #ripen(): void {
    const now = this.#clock.wall()
    const due = this.#store.read((txn) => holds.nextDue(txn, this.#answered()))
    if (due === undefined || due > now) return this.#armKeeper()
    this.#chore((txn) => {
      ripen(txn, choreBatch)
      return claimAsks(txn, this.#answered(), choreBatch)
    }, (claimed) => {
      for (const { producerGroup, meta, record } of claimed as ReturnType<typeof claimAsks>) {
        this.#post({ event: 'ask', producerGroup, held: { meta, record } })
      }
      this.#armKeeper()
    })
  }

  #answered(): Set<ProducerGroup> {
    return new Set([...this.#keepings.values()].flat())
  }
}
