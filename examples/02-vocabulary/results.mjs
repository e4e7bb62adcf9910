import { join } from 'node:path'
import { open } from 'lmdb'

/**
 * What the groups make of the answers, in the application's own database. A message may be delivered twice, when the
 * process dies between its work and its verdict; here it counts once, because "seen" and the change are one commit.
 */
export class Results {
  #database
  #seen
  statistics
  cards
  notices

  constructor(folder) {
    // With overlappingSync off a commit is on disk when its promise resolves.
    this.#database = open({ path: join(folder, 'results'), overlappingSync: false })
    this.#seen = this.#database.openDB({ name: 'seen' })
    this.statistics = this.#database.openDB({ name: 'statistics' })
    this.cards = this.#database.openDB({ name: 'cards' })
    this.notices = this.#database.openDB({ name: 'notices' })
  }

  /** How many messages the groups have counted, all together. */
  get counted() {
    return this.#seen.getCount()
  }

  /** Makes a group's change for a message unless it has been made. Resolves when it is on disk; true when it was new. */
  once(group, id, change) {
    return this.#database.transaction(() => {
      if (this.#seen.doesExist([group, id])) return false
      this.#seen.putSync([group, id], true)
      change()
      return true
    })
  }

  close() {
    return this.#database.close()
  }
}

/** All that is in the tables, once the service has stopped. */
export async function resultsIn(folder) {
  const results = new Results(folder)
  const { statistics, cards, notices } = results
  const contents = { statistics: contentsOf(statistics), cards: contentsOf(cards), notices: contentsOf(notices) }
  await results.close()
  return contents
}

function contentsOf(table) {
  return Object.fromEntries([...table.getRange()].map(({ key, value }) => [key, value]))
}
