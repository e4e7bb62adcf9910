/** What a test asks for: as startRedis of tools/services/redis.mjs has it. */
export interface Wanted {
  readonly version?: '7.0' | '8.2' | 'valkey-9'
  readonly topology?: 'standalone' | 'sentinel' | 'cluster'
  readonly replicas?: number
  readonly config?: Readonly<Record<string, string | readonly string[]>>
}

export interface Facts {
  readonly url: string
  readonly addresses: readonly string[]
  readonly sentinels?: readonly string[]
  readonly primaryName?: string
}

/** A Redis of the test's own. Nodes are counted from 0, the primaries first. */
export interface OwnRedis extends Facts {
  node(index: number, verb: 'kill' | 'start' | 'restart' | 'pause' | 'resume'): Promise<void>
  call(index: number, ...args: readonly (string | number)[]): Promise<unknown>
  moveSlot(slot: number, from: number, to: number): Promise<void>
  stop(): Promise<void>
}

/** Starts one, or says why it cannot run here. */
export async function ownRedis(wanted: Wanted): Promise<OwnRedis | { readonly missing: string }> {
  const answer = await ask('own', 'POST', { service: 'redis', options: wanted })
  if (answer.status === 503) return { missing: answer.text }
  const facts: Facts & { readonly id: string } = JSON.parse(answer.text)
  const path = `own/${facts.id}`
  return {
    ...facts,
    node: async (node, verb) => void (await ask(path, 'POST', { node, verb })),
    call: async (node, ...args) => JSON.parse((await ask(path, 'POST', { node, verb: 'call', args })).text).answer,
    moveSlot: async (...args) => void (await ask(path, 'POST', { verb: 'moveSlot', args })),
    stop: async () => void (await ask(path, 'DELETE')),
  }
}

async function ask(path: string, method: string, order?: object): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(`${process.env.SERVICES_AT}/${path}`, { method, ...(order === undefined ? {} : { body: JSON.stringify(order) }) })
  const text = await response.text()
  if (!response.ok && response.status !== 503) throw new Error(text)
  return { status: response.status, text }
}
