import { setTimeout as pause } from 'node:timers/promises'
import { play as consumer } from './consumer.mjs'
import { sharing } from './shared.mjs'

/**
 * Many members of a group in one process, on one engine, of whom now and then one leaves or comes back. Half of them are there at the beginning.
 *
 * Options: `members`: how many; `everyMs`; `member`: the options of each, as a consumer has them.
 */
export async function play(part) {
  const { engine, shared } = await sharing(part, { keeps: true })
  return playCrowd({ part, shared, consumer, close: () => engine.close() })
}

/** A crowd of consumers of any kind: `consumer` plays one, with what they share; `close` comes after all of them. */
export async function playCrowd({ part, shared, consumer: playOne, close }) {
  const { members, everyMs, member } = part.options
  const crowd = new Crowd(Array.from({ length: members }, (_, index) => ({ ...shared, process: `${part.process}-${index + 1}`, options: member })), playOne)
  await crowd.begin()
  let isResting = false
  const work = (async () => {
    while (!isResting) {
      await pause(everyMs)
      crowd.change(part.random)
    }
  })()
  return {
    count: () => crowd.counts,
    rest: async () => {
      isResting = true
      await work
      await crowd.settle()
    },
    end: async () => {
      await crowd.end()
      await close()
    },
  }
}

class Crowd {
  #places
  #play
  #joins = 0
  #leaves = 0
  #settledBefore = 0

  constructor(parts, playOne) {
    this.#play = playOne
    this.#places = parts.map((part) => ({ part, turn: 0, member: undefined, changing: undefined }))
  }

  async begin() {
    await Promise.all(this.#places.filter((_, index) => index % 2 === 0).map((place) => this.#come(place)))
  }

  get counts() {
    const settled = this.#places.reduce((sum, { member }) => sum + (member?.settled() ?? 0), this.#settledBefore)
    return { joins: this.#joins, leaves: this.#leaves, settled }
  }

  /** One that is not still coming or going does the other thing. */
  change(random) {
    const idle = this.#places.filter(({ changing }) => changing === undefined)
    if (idle.length === 0) return
    const place = random.pick(idle)
    place.changing = (place.member ? this.#go(place) : this.#come(place)).finally(() => (place.changing = undefined))
  }

  /** Whoever is coming or going has come or gone, and somebody is there. */
  async settle() {
    await Promise.all(this.#places.map(({ changing }) => changing))
    if (this.#places.every(({ member }) => member === undefined)) await this.#come(this.#places[0])
  }

  async end() {
    await Promise.all(this.#places.filter(({ member }) => member).map((place) => this.#go(place)))
  }

  async #come(place) {
    const { part } = place
    place.turn += 1
    place.member = await this.#play({ ...part, process: `${part.process}.${place.turn}` })
    this.#joins += 1
  }

  async #go(place) {
    await place.member.end()
    this.#settledBefore += place.member.settled()
    place.member = undefined
    this.#leaves += 1
  }
}
