import { randomFillSync } from 'node:crypto'
import { type HoldId, MillraceError } from 'millrace'

/** Names a loan, and shows that its holder was given it. */
export interface LoanToken {
  readonly hold: HoldId
  readonly secret: string
}

const secretBytes = 16
/** Drawn for many at a time: asking for a few random bytes costs as much as asking for all of these. */
const drawn = Buffer.alloc(secretBytes * 256)
let used = drawn.length

export function newSecret(): string {
  if (used === drawn.length) {
    randomFillSync(drawn)
    used = 0
  }
  used += secretBytes
  return drawn.toString('base64url', used - secretBytes, used)
}

/** As a client gets it: opaque, and good for any server on the same store. */
export function writeToken({ hold, secret }: LoanToken): string {
  return Buffer.from(`${secret} ${hold}`).toString('base64url')
}

/** Throws INVALID for what `writeToken` did not write. */
export function readToken(text: string): LoanToken {
  const [, secret, hold] = /^([\w-]{22}) (.+)$/.exec(Buffer.from(text, 'base64url').toString()) ?? []
  if (secret !== undefined && hold !== undefined) return { hold, secret }
  throw new MillraceError('INVALID', 'tokens has one that this server never gave: use those of a pull', { field: 'tokens' })
}
