import type { Millis } from '../../../core/clock.js'
import type { Offset } from '../../../core/message.js'
import type { GroupMember, GroupRequest } from '../port.js'
import { asError } from './codes.js'
import type { CommitOutcome } from './commits.js'
import { ConfluentMember } from './group.js'
import type { Base } from './link.js'
import { pause } from './wait.js'

const againMs: Millis = 1_000

/**
 * A member that joins anew, under another id, when the group has thrown it out. So it goes for one whose request to join was carried out and not answered, as
 * the broker died: the group knows the member by a name that it was never told.
 */
export class LastingMember implements GroupMember {
  readonly #base: Base
  readonly #request: GroupRequest
  readonly #left: (member: LastingMember) => void
  #current: ConfluentMember | undefined
  #isOver = false
  #rejoining: Promise<void> = Promise.resolve()

  private constructor(base: Base, request: GroupRequest, left: (member: LastingMember) => void) {
    this.#base = base
    this.#request = request
    this.#left = left
  }

  static async join(base: Base, request: GroupRequest, left: (member: LastingMember) => void): Promise<LastingMember> {
    const member = new LastingMember(base, request, left)
    await member.#join()
    return member
  }

  async commit(places: ReadonlyMap<number, Offset>): Promise<CommitOutcome> {
    return this.#current?.commit(places) ?? 'stale'
  }

  async leave(): Promise<void> {
    this.#isOver = true
    await this.#current?.leave()
    await this.#rejoining
    this.#left(this)
  }

  die(): void {
    this.#isOver = true
    this.#current?.die()
  }

  async #join(): Promise<void> {
    const current = await ConfluentMember.join(this.#base, this.#request, () => {
      this.#rejoining = this.#joinAnew(current)
    })
    this.#current = current
    // It may have been left, or died, meanwhile.
    if (this.#isOver) await current.leave()
  }

  async #joinAnew(before: ConfluentMember): Promise<void> {
    this.#current = undefined
    await before.leave()
    while (!this.#isOver) {
      try {
        return await this.#join()
      } catch (error) {
        this.#request.trouble(asError(error, 'joining the Kafka group anew'))
        await pause(this.#base.clock, againMs)
      }
    }
  }
}
