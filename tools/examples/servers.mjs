import { Host } from '../services/host.mjs'
import { services } from '../services/services.mjs'

/** The servers that programs need, each started when the first one needs it. */
export class Servers {
  #host = new Host(services)
  #at

  /** The environment of a program that needs one: KAFKA=HOST:PORT, REDIS=URL. Or `{ missing }`, why it cannot run here. */
  async environment(name) {
    this.#at ??= this.#host.open()
    const answer = await fetch(`${await this.#at}/${name}`)
    const text = await answer.text()
    if (answer.status === 503) return { missing: text }
    if (!answer.ok) throw new Error(text)
    return { env: services[name].environment(JSON.parse(text)) }
  }

  async close() {
    if (this.#at) await this.#host.close()
  }
}
