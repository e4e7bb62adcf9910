import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const callMs = 8_000

/** Where a server leaves the port that it listens on. */
export function portFile(folder) {
  return join(folder, 'port')
}

/** Calls of the HTTP API, as a client makes them whose server may be gone at any moment. */
export class HttpClient {
  #folder

  constructor({ folder }) {
    this.#folder = folder
  }

  /**
   * Answers `{ data }`, or `{ refusal }` with a code when the server said no, or `{ lost }` when nobody knows: the connection was cut, the time was
   * over, or the server says that the outcome is unknown.
   */
  async call(path, body) {
    let response
    try {
      response = await fetch(`http://127.0.0.1:${this.#port()}/api/v1/mq${path}`, {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), signal: AbortSignal.timeout(callMs),
      })
      const { code, data } = await response.json()
      if (code === 200) return { data }
      return code === 500 ? { lost: data.error } : { refusal: data.error }
    } catch (error) {
      if (response === undefined) await pause(50)
      return { lost: error.cause?.code ?? error.name ?? 'ERROR' }
    }
  }

  #port() {
    try {
      return readFileSync(portFile(this.#folder), 'utf8')
    } catch {
      return '1'
    }
  }
}
