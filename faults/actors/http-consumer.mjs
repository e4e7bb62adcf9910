import { setTimeout as pause } from 'node:timers/promises'
import { HttpClient } from './http.mjs'
import { sumOf } from './sending.mjs'

/** Pulls over HTTP and answers by token, again until its answer is answered. Options: `topic`, `group`, `leaseMs`, `max`, `workMs`, `retry`, `dead`. */
export async function play(part) {
  const consumer = new HttpConsumer(part)
  const work = consumer.run()
  return {
    end: () => {
      consumer.isEnding = true
      return work
    },
  }
}

class HttpConsumer {
  isEnding = false
  #part
  #client
  #options

  constructor(part) {
    this.#part = part
    this.#client = new HttpClient(part)
    this.#options = { leaseMs: 4_000, max: 50, workMs: 10, retry: 0.03, dead: 0.01, retryMs: [50, 500], ...part.options }
  }

  async run() {
    const { recorder, random } = this.#part
    const { topic: topicName, group, leaseMs, max, workMs } = this.#options
    while (!this.isEnding) {
      const asked = recorder.now()
      const { data } = await this.#client.call('/pull', { topicName, groupId: group, max, waitMs: 300, leaseMs })
      if (data === undefined || data.messages.length === 0) continue
      recorder.together(() => data.messages.forEach((pulled) => recorder.record('delivered', { ...this.#about(pulled), ...seen(pulled), asked })))
      await pause(random.between(0, workMs))
      await this.#answer(data.messages)
    }
  }

  async #answer(messages) {
    const { random } = this.#part
    const { retry, dead, retryMs } = this.#options
    const drawn = messages.map((pulled) => ({ pulled, is: random.chance(dead) ? 'dead' : random.chance(retry) && pulled.attempt < 4 ? 'retry' : 'done' }))
    const of = (word) => drawn.filter(({ is }) => is === word).map(({ pulled }) => pulled)
    const delayMs = random.between(...retryMs)
    await this.#repeat('/ack', of('done'), 'done', {})
    await this.#repeat('/nack', of('retry'), 'retry', { delayMs })
    await this.#repeat('/nack', of('dead'), 'dead', { deadLetter: true, reason: 'it was its turn' })
  }

  /** Until the answers are answered. What is stale after an answer that was lost may have counted before. */
  async #repeat(path, messages, is, more) {
    const { recorder } = this.#part
    for (let isRepeated = false; messages.length > 0; isRepeated = true) {
      const until = is === 'retry' ? { until: Date.now() + more.delayMs } : {}
      const calls = recorder.together(() => messages.map((pulled) => recorder.invoke('settle', { ...this.#about(pulled), is, ...until })))
      const { data, refusal, lost } = await this.#client.call(path, { tokens: messages.map(({ token }) => token), ...more })
      recorder.together(() => calls.forEach((call, index) => {
        const result = data?.results[index].result ?? (refusal === 'LAPSED' ? 'stale' : undefined)
        if (result === 'done') call.ok()
        else if (result === 'stale' && !isRepeated) call.fail('stale')
        else call.info(lost ?? refusal ?? result)
      }))
      if (data !== undefined || refusal === 'LAPSED') return
      await pause(100)
    }
  }

  /** A loan is its token: no other delivery has it. */
  #about({ token, message: { topicName: topic, id, partition, offset } }) {
    return { topic, id, partition, offset, group: this.#options.group, member: token }
  }
}

function seen({ attempt, message: { key, value } }) {
  return { key, sequence: value.sequence, sum: sumOf(JSON.stringify(value)), attempt }
}
