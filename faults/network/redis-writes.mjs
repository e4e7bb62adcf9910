const scripts = /^EVAL(?:SHA)?$/i
const pushed = /^[sp]?(?:message|subscribe|unsubscribe)$/

/** For one connection with Redis: which of its answers are to scripts, for all of ours that write are scripts. Answers come in the order of what was asked. */
export function writesOfRedis() {
  const open = []
  let isWritten = false
  const asked = new Values((_, first) => open.push(scripts.test(first)))
  const answered = new Values((kind, first) => {
    const isPushed = kind === '>' || (kind === '*' && pushed.test(first))
    if (!isPushed && open.shift()) isWritten = true
  })
  return {
    asked: (bytes) => asked.take(bytes),
    answered(bytes) {
      isWritten = false
      answered.take(bytes)
      return isWritten
    },
  }
}

const firstBytes = 16

/** Cuts a stream of Redis's protocol into values, and tells of each, once it is whole, its kind and the beginning of the first text in it. */
class Values {
  #onValue
  /** A line that has begun. */
  #line = ''
  /** Bytes of a text that are still to come, with its end. */
  #skip = 0
  #kind
  #first
  /** The text that is coming is the first. */
  #isFirst = false
  /** How many values are still to come in each list that has begun. */
  #open = []

  constructor(onValue) {
    this.#onValue = onValue
  }

  take(bytes) {
    for (let at = 0; at < bytes.length; ) at = this.#skip > 0 ? this.#takeText(bytes, at) : this.#takeLine(bytes, at)
  }

  #takeText(bytes, at) {
    const end = Math.min(bytes.length, at + this.#skip)
    if (this.#isFirst && this.#first.length < firstBytes) this.#first += bytes.toString('latin1', at, Math.min(end, at + firstBytes))
    this.#skip -= end - at
    if (this.#skip === 0) this.#ended()
    return end
  }

  #takeLine(bytes, at) {
    const end = bytes.indexOf(10, at)
    this.#line += bytes.toString('latin1', at, end < 0 ? bytes.length : end)
    if (end < 0) return bytes.length
    const line = this.#line
    this.#line = ''
    this.#begin(line[0], Number(line.slice(1)))
    return end + 1
  }

  #begin(kind, size) {
    this.#kind ??= kind
    this.#isFirst = kind === '$' && this.#first === undefined
    if (this.#isFirst) this.#first = ''
    const values = kind === '%' ? size * 2 : '*>~'.includes(kind) ? size : 0
    if ('$='.includes(kind) && size >= 0) this.#skip = size + 2
    else if (values > 0) this.#open.push(values)
    else this.#ended()
  }

  /** A value is whole, and with it the lists whose last it was. */
  #ended() {
    while (this.#open.length > 0) {
      const left = this.#open.pop() - 1
      if (left === 0) continue
      this.#open.push(left)
      return
    }
    this.#onValue(this.#kind, (this.#first ?? '').trimEnd())
    this.#kind = this.#first = undefined
  }
}
