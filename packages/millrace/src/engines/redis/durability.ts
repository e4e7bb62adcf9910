import { MillraceError } from '../../core/errors.js'
import type { Durability } from '../../core/message.js'
import type { RedisClient, Reply } from './port.js'

/** What the servers are configured to do with a write before they answer it: the least of all nodes. */
export interface ServerFacts {
  readonly isAppendOnly: boolean
  readonly fsync: 'always' | 'everysec' | 'no'
  /** WAITAOF: Redis 7.2, Valkey. */
  readonly canWaitForFsync: boolean
  /** SPUBLISH: Redis 7.0, Valkey. */
  readonly hasShardedChannels: boolean
}

/** What a write waits for beside the answer. */
export interface Confirmation {
  readonly replicas: number
  readonly fsync: boolean
}

/** Which levels a write meets, and what it takes. */
export class Guarantees {
  /** What every write survives, without waiting for more. */
  readonly plain: readonly Durability[]
  readonly #facts: ServerFacts
  readonly #replicas: number

  constructor(facts: ServerFacts, replicas: number) {
    this.#facts = facts
    this.#replicas = replicas
    const { isAppendOnly, fsync } = facts
    this.plain = ['memory', ...(isAppendOnly ? (['os'] as const) : []), ...(isAppendOnly && fsync === 'always' ? (['fsync'] as const) : [])]
  }

  /** Levels that can be asked for. */
  get levels(): readonly Durability[] {
    const { isAppendOnly, fsync, canWaitForFsync } = this.#facts
    const byWaiting = isAppendOnly && fsync !== 'always' && canWaitForFsync
    return [...this.plain, ...(byWaiting ? (['fsync'] as const) : []), ...(this.#replicas > 0 ? (['replicated'] as const) : [])]
  }

  /** What a write at this level waits for; undefined: nothing. Copies are waited for unless less is asked for. Errors: UNSUPPORTED. */
  confirmation(level: Durability | undefined): Confirmation | undefined {
    if (level === undefined) return this.#replicas > 0 ? { replicas: this.#replicas, fsync: false } : undefined
    if (!this.levels.includes(level)) throw new MillraceError('UNSUPPORTED', `the server meets ${this.levels.join(', ')} and not ${level}: ${hints[level]}`, { field: 'durability' })
    if (level === 'replicated') return { replicas: this.#replicas, fsync: false }
    return this.plain.includes(level) ? undefined : { replicas: 0, fsync: true }
  }

  survives(confirmed: Confirmation | undefined): readonly Durability[] {
    if (!confirmed) return this.plain
    return [...this.plain, ...(confirmed.fsync ? (['fsync'] as const) : []), ...(confirmed.replicas > 0 ? (['replicated'] as const) : [])]
  }
}

const hints: Readonly<Record<Durability, string>> = {
  memory: 'ask for less',
  os: 'set appendonly yes on the server',
  fsync: 'set appendonly yes, and appendfsync always or use a server with WAITAOF (Redis 7.2, Valkey)',
  replicated: 'give the engine replicas: n, and the server so many',
}

/** Asks every node. Errors: CONFIG where it may evict what it was given. */
export async function readFacts(client: RedisClient): Promise<ServerFacts> {
  const [infos, settings] = await Promise.all([client.everywhere(['INFO']), client.everywhere(['CONFIG', 'GET', 'append*']).catch(() => [])])
  const facts = infos.map((info) => factsOf(fieldsOf(info)))
  const fsyncs = settings.map((each) => settingOf(each, 'appendfsync'))
  return {
    isAppendOnly: facts.length > 0 && facts.every((each) => each.isAppendOnly),
    // Where nobody tells, what servers do unless told otherwise.
    fsync: fsyncs.includes('no') ? 'no' : fsyncs.length > 0 && fsyncs.every((each) => each === 'always') ? 'always' : 'everysec',
    canWaitForFsync: facts.length > 0 && facts.every((each) => each.canWaitForFsync),
    hasShardedChannels: facts.length > 0 && facts.every((each) => each.hasShardedChannels),
  }
}

function factsOf(info: ReadonlyMap<string, string>): Omit<ServerFacts, 'fsync'> {
  const policy = info.get('maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction') {
    throw new MillraceError('CONFIG', `the server evicts keys when memory is short (maxmemory-policy ${policy}), messages among them: set maxmemory-policy noeviction`, { field: 'maxmemory-policy' })
  }
  const [major = 0, minor = 0] = (info.get('redis_version') ?? '').split('.').map(Number)
  const isValkey = info.has('valkey_version')
  return { isAppendOnly: info.get('aof_enabled') === '1', canWaitForFsync: isValkey || major > 7 || (major === 7 && minor >= 2), hasShardedChannels: isValkey || major >= 7 }
}

function fieldsOf(info: Reply): ReadonlyMap<string, string> {
  const lines = Buffer.isBuffer(info) ? info.toString().split(/\r?\n/u) : []
  return new Map(lines.map((line): [string, string] => [line.slice(0, Math.max(0, line.indexOf(':'))), line.slice(line.indexOf(':') + 1)]))
}

function settingOf(reply: Reply, name: string): string | undefined {
  const words = Array.isArray(reply) ? reply.map(String) : []
  const at = words.indexOf(name)
  return at < 0 ? undefined : words[at + 1]
}
