import { expect, it } from 'vitest'
import { Guarantees } from './durability.js'
import type { Command, RedisClient, RedisConnection, Reply } from './port.js'
import { Writes } from './writes.js'

const script = { name: 'publish', lua: '' }
const replicated = { replicas: 1, fsync: false }
const guarantees = new Guarantees({ isAppendOnly: true, fsync: 'everysec', canWaitForFsync: false, hasShardedChannels: true }, 1)

/** A server with a replica that confirms at once, or another one that has taken its place. */
class Server implements RedisConnection {
  /** Done once, at the next WAIT. */
  onWait: () => void = () => undefined
  #name: string | null = null

  async command(args: Command): Promise<Reply> {
    const [name, ...rest] = args
    if (name === 'WAIT') return this.#wait()
    if (rest[0] === 'SETNAME') this.#name = String(rest[1])
    return rest[0] === 'GETNAME' && this.#name !== null ? Buffer.from(this.#name) : null
  }

  async run(): Promise<Reply> {
    return 1
  }

  /** The client has come to another server, or again to this one. */
  reconnect(): void {
    this.#name = null
  }

  #wait(): Reply {
    this.onWait()
    this.onWait = () => undefined
    return 1
  }
}

function writesOn(server: Server): Writes {
  const client: RedisClient = {
    name: 'of the test',
    isCluster: false,
    command: (args) => server.command(args),
    run: () => server.run(),
    everywhere: async () => [],
    subscribe: () => Promise.reject(new Error('nobody listens')),
    duplicate: async () => ({ command: (args) => server.command(args), run: () => server.run(), close: async () => undefined }),
  }
  return new Writes(client, guarantees)
}

it('a write is confirmed by the replicas that have it', async () => {
  const writes = writesOn(new Server())
  expect(await writes.run(script, ['{t/0}log'], [], replicated)).toEqual({ reply: 1, survives: ['memory', 'os', 'replicated'] })
})

it('what a connection confirms that was made after the write says nothing of it, and says so of the next', async () => {
  const server = new Server()
  const writes = writesOn(server)
  server.onWait = () => server.reconnect()
  expect(await writes.run(script, ['{t/0}log'], [], replicated)).toMatchObject({ reply: 1, survives: ['memory', 'os'], error: { code: 'UNKNOWN_OUTCOME' } })
  expect(await writes.run(script, ['{t/0}log'], [], replicated)).toMatchObject({ survives: ['memory', 'os', 'replicated'] })
})

it('nor does one that another write has come to know by then', async () => {
  const server = new Server()
  const writes = writesOn(server)
  let next: Promise<unknown> | undefined
  server.onWait = () => {
    server.reconnect()
    next = writes.run(script, ['{t/0}log'], [], replicated)
  }
  expect(await writes.run(script, ['{t/0}log'], [], replicated)).toHaveProperty('error')
  await next
})
