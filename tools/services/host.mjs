import { once } from 'node:events'
import { createServer } from 'node:http'
import { Missing } from './missing.mjs'
import { optionsOf } from './options.mjs'
import { Owned } from './own.mjs'

/**
 * Lends servers to the processes of one test run, over HTTP, so that whoever can fetch can ask: `GET /kafka?nodes=3` answers `{ "brokers": [...] }`,
 * `GET /redis?version=8.2&topology=cluster` answers `{ "url", "addresses", ... }` (services.mjs: what can be asked for, what is answered). The first who asks waits until it has started;
 * nobody who does not ask pays. 503 says in its text why it cannot run here; with SERVICES=required that is a 500. `SERVICES_KAFKA=HOST:PORT,...` names a running one, which is then lent for
 * one node and for three; `SERVICES_REDIS=redis://HOST:PORT` one that is lent to whoever names no version and no topology. `POST /kafka` with
 * `{ "tool": "kafka-topics", "args": ["--list"], "input": "" }` runs one of its tools to its end and answers `{ "stdout", "stderr" }`; one that fails is a 500 with what it said.
 * `GET /kafka/client` answers `{ "path" }`: where the native client is. `POST /own` starts one for a single test, `POST /own/ID` gives it an order, `DELETE /own/ID` stops it (own.mjs).
 */
export class Host {
  #services
  #env
  #server
  #lent = new Map()
  #owned

  constructor(services, env = process.env) {
    this.#services = services
    this.#env = env
    this.#owned = new Owned(services)
  }

  /** Answers where to ask. */
  async open() {
    this.#server = createServer((request, response) => void this.#reply(new URL(request.url, 'http://host'), request, response))
    this.#server.unref().listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${this.#server.address().port}`
  }

  async close() {
    this.#server.close()
    this.#server.closeAllConnections()
    const lent = await Promise.allSettled(this.#lent.values())
    await Promise.all([this.#owned.stopAll(), ...lent.map(({ value }) => value?.stop?.())])
  }

  async #reply({ pathname, searchParams }, request, response) {
    const order = request.method === 'POST' ? json(request) : undefined
    const { status, body } = await this.#answer(pathname.slice(1), Object.fromEntries(searchParams), order)
    response.writeHead(status).end(body)
  }

  async #answer(path, asked, order) {
    const [name, part] = path.split('/')
    if (name === 'own') return this.#tried(name, () => this.#own(part, order))
    if (!Object.hasOwn(this.#services, name)) return { status: 404, body: `no service ${name}: ${Object.keys(this.#services).join(', ')}` }
    return this.#tried(name, async () => {
      if (part === 'client') return { path: this.#services[name].client() }
      const { facts } = await this.#lend(name, asked)
      if (order === undefined) return facts
      const { tool, args, input } = await order
      return this.#services[name].tool(facts, tool, args, { input })
    })
  }

  async #own(id, order) {
    if (order === undefined) return this.#owned.stop(id)
    return id === undefined ? this.#owned.start(await order) : { answer: await this.#owned.order(id, await order) }
  }

  async #tried(name, answer) {
    try {
      return { status: 200, body: JSON.stringify((await answer()) ?? {}) }
    } catch (error) {
      if (!(error instanceof Missing)) return { status: 500, body: String(error) }
      return { status: this.#env.SERVICES === 'required' ? 500 : 503, body: `${name === 'own' ? 'the server' : name} cannot run here: ${error.message}` }
    }
  }

  #lend(name, asked) {
    const running = this.#services[name].given(this.#env, asked)
    if (running !== undefined) return { facts: running }
    const options = optionsOf(this.#services[name], asked)
    const key = JSON.stringify([name, options])
    if (!this.#lent.has(key)) this.#lent.set(key, this.#start(name, options))
    return this.#lent.get(key)
  }

  async #start(name, options) {
    const service = await this.#services[name].start(options)
    return { facts: this.#services[name].facts(service), stop: () => service.stop() }
  }
}

async function json(request) {
  let text = ''
  for await (const part of request.setEncoding('utf8')) text += part
  return JSON.parse(text)
}
