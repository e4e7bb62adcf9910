import { createHash, timingSafeEqual } from 'node:crypto'
import type { TokenConfig } from '../config/schema.js'

/** What a call asks of its caller: `open` nothing, `service` any token, `admin` an admin's. */
export type Role = 'open' | 'service' | 'admin'

export interface Caller {
  readonly name: string
  readonly role: 'service' | 'admin'
}

interface Entry extends Caller {
  readonly hash: Buffer
}

/** The tokens that are let in. Only their hashes are kept. */
export class Tokens {
  readonly #entries: readonly Entry[]

  constructor(tokens: readonly TokenConfig[]) {
    this.#entries = tokens.map(({ name, role, token, sha256 }) => ({ name, role, hash: sha256 === undefined ? hash(token ?? '') : Buffer.from(sha256, 'hex') }))
  }

  get size(): number {
    return this.#entries.length
  }

  /** Who shows this `authorization` header. Takes the same time whichever token it is, and for none. */
  caller(authorization: string | undefined): Caller | undefined {
    const token = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
    const shown = hash(token ?? '')
    let found: Caller | undefined
    for (const entry of this.#entries) if (timingSafeEqual(entry.hash, shown)) found = entry
    return token === undefined ? undefined : found
  }
}

/** Whether a caller may do what asks for this role. An admin may do all that a service may. */
export function allows(caller: Caller, role: Role): boolean {
  return role !== 'admin' || caller.role === 'admin'
}

function hash(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
