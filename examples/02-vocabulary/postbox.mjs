/** The way to the users. Until it is repaired some of them cannot be reached, always the same ones. */
export class Postbox {
  #isRepaired

  constructor({ isRepaired }) {
    this.#isRepaired = isRepaired
  }

  canReach(user) {
    return this.#isRepaired || !user.endsWith('7')
  }

  /** Throws when there is no way. */
  reach(user) {
    if (!this.canReach(user)) throw new Error(`no way to reach ${user}`)
  }
}
