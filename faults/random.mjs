/** Random numbers that a seed decides: the same words give the same numbers, whatever else a run does. */
export class Random {
  #state

  constructor(...words) {
    this.#state = hash(words.join('/'))
  }

  /** From 0 to below 1. Mulberry32, by Tommy Ettinger: small, and good enough to choose moments with. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number, both ends included. */
  between(least, most) {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  chance(share) {
    return this.next() < share
  }

  pick(list) {
    return list[Math.floor(this.next() * list.length)]
  }
}

/** FNV-1a of a text, 32 bits: also how the runner's keys find their partition. */
export function hash(text) {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  return value >>> 0
}
