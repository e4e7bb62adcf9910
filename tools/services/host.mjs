import { once } from 'node:events'
import { createServer } from 'node:http'
import { Missing } from './missing.mjs'

/**
 * Lends servers to the processes of one test run, over HTTP, so that whoever can fetch can ask: `GET /kafka?nodes=3` answers `{ "brokers": [...] }`. The first who asks waits until it has
 * started; nobody who does not ask pays. 503 says in its text why it cannot run here; with SERVICES=required that is a 500. `SERVICES_KAFKA=HOST:PORT,...` names a running one,
 * which is then lent for one node and for three. `POST /kafka` with `{ "tool": "kafka-topics", "args": ["--list"], "input": "" }` runs one of its tools to its end and answers `{ "stdout", "stderr" }`;
 * one that fails is a 500 with what it said. `GET /kafka/client` answers `{ "path" }`: where the native client is.
 */
export class Host {
  #services
  #env
  #server
  #lent = new Map()

  constructor(services, env = process.env) {
    this.#services = services
    this.#env = env
  }

  /** Answers where to ask. */
  async open() {
    this.#server = createServer((request, response) => void this.#reply(new URL(request.url, 'http://host'), request.method === 'POST' ? json(request) : undefined, response))
    this.#server.unref().listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${this.#server.address().port}`
  }

  async close() {
    this.#server.close()
    this.#server.closeAllConnections()
    const lent = await Promise.allSettled(this.#lent.values())
    await Promise.all(lent.map(({ value }) => value?.stop?.()))
  }

  async #reply({ pathname, searchParams }, order, response) {
    const { status, body } = await this.#answer(pathname.slice(1), Number(searchParams.get('nodes') ?? 1), order)
    response.writeHead(status).end(body)
  }

  async #answer(path, nodes, asked) {
    const [name, part] = path.split('/')
    if (!Object.hasOwn(this.#services, name)) return { status: 404, body: `no service ${name}: ${Object.keys(this.#services).join(', ')}` }
    try {
      if (part === 'client') return { status: 200, body: JSON.stringify({ path: this.#services[name].client() }) }
      const { brokers } = await this.#lend(name, nodes)
      if (asked === undefined) return { status: 200, body: JSON.stringify({ brokers }) }
      const { tool, args, input } = await asked
      return { status: 200, body: JSON.stringify(await this.#services[name].tool(brokers, tool, args, { input })) }
    } catch (error) {
      if (!(error instanceof Missing)) return { status: 500, body: String(error) }
      return { status: this.#env.SERVICES === 'required' ? 500 : 503, body: `${name} cannot run here: ${error.message}` }
    }
  }

  #lend(name, nodes) {
    const key = `${name} ${nodes}`
    if (!this.#lent.has(key)) this.#lent.set(key, this.#find(name, nodes))
    return this.#lent.get(key)
  }

  async #find(name, nodes) {
    const { start, given } = this.#services[name]
    const running = this.#env[given]
    return running ? { brokers: running.split(',') } : start({ nodes })
  }
}

async function json(request) {
  let text = ''
  for await (const part of request.setEncoding('utf8')) text += part
  return JSON.parse(text)
}
