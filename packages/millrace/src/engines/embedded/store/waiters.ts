import type { Cancel, Clock } from '../../../core/clock.js'
import type { LeaseAnswer, Verbs } from '../protocol.js'
import { hasBroadcast, leaseBroadcast } from './broadcast.js'
import { ready } from './groups.js'
import { lease, type Leased } from './lease.js'
import type { Member } from './member.js'
import { packLease } from './pack.js'
import type { Roster } from './roster.js'
import type { Txn } from './txn.js'

type Ask = Parameters<Verbs['lease']>[0]

interface Waiter {
  readonly call: number
  readonly ask: Ask
  readonly cancel: Cancel
}

/** What a commit leases for one call. It waits no more, so that nothing else answers the call. */
interface Taken {
  readonly call: number
  readonly ask: Ask
  readonly leased: readonly Leased[]
  readonly waiter?: Waiter
}

/** Leases: answered at once, or when there is something, or when their time is over. */
export class Waiters {
  readonly #clock: Clock
  readonly #roster: Roster
  readonly #answer: (call: number, answer: LeaseAnswer) => void
  readonly #waiting = new Map<number, Waiter>()
  /** Leased in the commit that is being written; handed out when it is. */
  #taken: Taken[] = []

  constructor(clock: Clock, roster: Roster, answer: (call: number, answer: LeaseAnswer) => void) {
    this.#clock = clock
    this.#roster = roster
    this.#answer = answer
  }

  get size(): number {
    return this.#waiting.size
  }

  /** Leases, or waits. An error is thrown and ends it. */
  lease(txn: Txn, call: number, ask: Ask): void {
    const leased = this.#take(txn, ask)
    if (leased.length > 0 || ask.waitMs <= 0) {
      this.#taken.push({ call, ask, leased })
      return
    }
    const cancel = this.#clock.after(ask.waitMs, () => this.end(ask.wait))
    this.#waiting.set(ask.wait, { call, ask, cancel })
  }

  /** Tries again for all that wait. */
  retry(txn: Txn): void {
    for (const waiter of [...this.#waiting.values()]) {
      const { call, ask } = waiter
      if (!this.#roster.find(ask.member)?.of(txn)) {
        this.end(ask.wait)
        continue
      }
      const leased = this.#take(txn, ask)
      if (leased.length === 0) continue
      this.#waiting.delete(ask.wait)
      this.#taken.push({ call, ask, leased, waiter })
    }
  }

  /** Hands out what the commit that is now written has leased. */
  committed(): void {
    const taken = this.#taken
    this.#taken = []
    for (const { call, leased, waiter } of taken) {
      waiter?.cancel()
      this.#answer(call, packLease(leased))
    }
  }

  /** The commit was not written: nothing was leased, and broadcast members read it again. */
  undone(): void {
    for (const { ask, leased, waiter } of this.#taken) {
      const broadcast = this.#roster.find(ask.member)?.broadcast
      for (const { partition, offset } of [...leased].reverse()) broadcast?.set(partition, offset)
      if (waiter) this.#waiting.set(ask.wait, waiter)
    }
    this.#taken = []
  }

  end(wait: number): void {
    const waiter = this.#waiting.get(wait)
    if (!waiter) return
    waiter.cancel()
    this.#waiting.delete(wait)
    this.#answer(waiter.call, packLease([]))
  }

  endMember(member: number): void {
    for (const { ask } of [...this.#waiting.values()]) if (ask.member === member) this.end(ask.wait)
  }

  endAll(): void {
    for (const { ask } of [...this.#waiting.values()]) this.end(ask.wait)
  }

  isAnyReady(txn: Txn): boolean {
    return [...this.#waiting.values()].some(({ ask }) => {
      const member = this.#roster.find(ask.member)
      return member !== undefined && this.#isReady(txn, member)
    })
  }

  #isReady(txn: Txn, member: Member): boolean {
    const of = member.of(txn)
    if (!of || of.topic.topic.paused || of.group.paused) return false
    return member.broadcast ? hasBroadcast(txn, member.broadcast, of) : member.cursors(txn, of).some((cursor) => ready(txn, cursor) > 0)
  }

  #take(txn: Txn, { member: handle, max }: Ask): Leased[] {
    const member = this.#roster.get(handle)
    member.checkAlive()
    const of = member.of(txn)
    if (!of) {
      member.lapsed = true
      member.checkAlive()
    }
    if (!of || of.topic.topic.paused || of.group.paused) return []
    if (member.broadcast) return leaseBroadcast(txn, member.broadcast, of, max)
    const cursors = member.cursors(txn, of)
    return lease(txn, cursors, max, cursors.every(({ suspects }) => suspects === 0) || this.#roster.isAloneFree(txn, member))
  }
}
