const verbs = new Set(['kill', 'start', 'restart', 'stop', 'pause', 'resume', 'call'])

/** Servers that one test has for itself, to be ended and started as it likes. */
export class Owned {
  #services
  #owned = new Map()
  #count = 0

  constructor(services) {
    this.#services = services
  }

  /** Starts one: `{ service: 'redis', options: { topology: 'sentinel', config: { requirepass: 'secret' } } }`. Answers what is told of it, and the `id` to speak of it by. */
  async start({ service: name, options = {} }) {
    const kind = this.#services[name]
    const service = await kind.start(options)
    const id = String((this.#count += 1))
    this.#owned.set(id, { kind, service })
    return { id, ...kind.facts(service) }
  }

  /** `{ node: 0, verb: 'kill' }`, `{ node: 0, verb: 'call', args: ['GET', 'a'] }`: what a node can do (Sentinels come after the servers); without `node`, what the service can do at large. */
  async order(id, { node, verb, args = [] }) {
    const { kind, service } = this.#named(id)
    if (node === undefined) return kind.verbs[verb](service, ...args)
    if (!verbs.has(verb)) throw new Error(`${verb}: a node can ${[...verbs].join(', ')}`)
    return [...service.nodes, ...(service.sentinels ?? [])][node][verb](...args)
  }

  async stop(id) {
    const { service } = this.#named(id)
    this.#owned.delete(id)
    await service.stop()
  }

  async stopAll() {
    await Promise.all([...this.#owned.keys()].map((id) => this.stop(id)))
  }

  #named(id) {
    const owned = this.#owned.get(id)
    if (owned === undefined) throw new Error(`no server ${id}`)
    return owned
  }
}
