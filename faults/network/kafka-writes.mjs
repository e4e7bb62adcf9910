/** Produce and EndTxn. */
const writes = new Set([0, 26])

/** For one connection with a Kafka broker: which of its answers are to writes. Each request and answer has its length in front; an answer names its request by number. */
export function writesOfKafka() {
  const open = new Set()
  const requests = new Frames(8, (head) => {
    if (writes.has(head.readInt16BE(0))) open.add(head.readInt32BE(4))
  })
  let isWritten = false
  const answers = new Frames(4, (head) => {
    isWritten ||= open.delete(head.readInt32BE(0))
  })
  return {
    asked: (bytes) => requests.take(bytes),
    answered(bytes) {
      isWritten = false
      answers.take(bytes)
      return isWritten
    },
  }
}

/** Cuts a stream into frames, and shows the first bytes of each as soon as they are there. */
class Frames {
  #headBytes
  #onHead
  /** Of the frame that has begun: its length, and its first bytes. */
  #begun = Buffer.alloc(0)
  #skip = 0

  constructor(headBytes, onHead) {
    this.#headBytes = headBytes
    this.#onHead = onHead
  }

  take(bytes) {
    let rest = bytes
    while (rest.length > 0) {
      const skipped = Math.min(this.#skip, rest.length)
      this.#skip -= skipped
      rest = rest.subarray(skipped)
      if (rest.length === 0) return
      const wanted = 4 + this.#headBytes - this.#begun.length
      this.#begun = Buffer.concat([this.#begun, rest.subarray(0, wanted)])
      rest = rest.subarray(wanted)
      if (this.#begun.length < 4 + this.#headBytes) return
      this.#skip = this.#begun.readInt32BE(0) - this.#headBytes
      this.#onHead(this.#begun.subarray(4))
      this.#begun = Buffer.alloc(0)
    }
  }
}
