/** A binary heap: the item that comes `before` all others is at the top. */
export class MinHeap<T> {
  readonly #before: (one: T, other: T) => boolean
  #items: T[] = []

  constructor(before: (one: T, other: T) => boolean) {
    this.#before = before
  }

  get size(): number {
    return this.#items.length
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    this.#items.push(item)
    this.#rise(this.#items.length - 1)
  }

  pop(): T | undefined {
    const top = this.#items[0]
    const last = this.#items.pop()
    if (this.#items.length > 0 && last !== undefined) {
      this.#items[0] = last
      this.#sink(0)
    }
    return top
  }

  /** Takes out every item that `wanted` names: O(n). */
  takeWhere(wanted: (item: T) => boolean): readonly T[] {
    const taken = this.#items.filter((item) => wanted(item))
    if (taken.length === 0) return taken
    this.#items = this.#items.filter((item) => !wanted(item))
    for (let index = (this.#items.length >> 1) - 1; index >= 0; index -= 1) this.#sink(index)
    return taken
  }

  /** In no order. */
  [Symbol.iterator](): IterableIterator<T> {
    return this.#items[Symbol.iterator]()
  }

  #rise(from: number): void {
    const items = this.#items
    const item = items[from]
    if (item === undefined) return
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = items[parent]
      if (above === undefined || !this.#before(item, above)) break
      items[index] = above
      index = parent
    }
    items[index] = item
  }

  #sink(from: number): void {
    const items = this.#items
    const item = items[from]
    if (item === undefined) return
    let index = from
    for (;;) {
      const left = index * 2 + 1
      const child = this.#first(left, left + 1)
      const below = items[child]
      if (below === undefined || !this.#before(below, item)) break
      items[index] = below
      index = child
    }
    items[index] = item
  }

  #first(left: number, right: number): number {
    const one = this.#items[left]
    const other = this.#items[right]
    return one !== undefined && other !== undefined && this.#before(other, one) ? right : left
  }
}
