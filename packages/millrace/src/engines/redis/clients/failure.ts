import type { RedisFailure } from '../port.js'

/** Nothing was done, and it may work soon. */
const soon = new Set(['LOADING', 'READONLY', 'CLUSTERDOWN', 'MASTERDOWN', 'TRYAGAIN', 'NOREPLICAS', 'BUSY', 'MOVED', 'ASK'])
/** Up to 6.2 an error in a script is told as ERR, with the script's own error in its text. */
const inScript = /^ERR Error running script.*?: -?([A-Z]{3,}) /
/** Nothing was done either: only a script that has written nothing can be killed, and our scripts reach for all their keys before they write. */
const notDone = /^ERR max number of clients|Script killed by user|Script attempted to access a non local key/

/** What became of a call. */
export class Failure extends Error implements RedisFailure {
  constructor(
    readonly became: RedisFailure['became'],
    readonly code: string,
    message: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'RedisFailure'
  }
}

/** What the server itself said: `CODE and why`. Undefined where the text is none of a server. */
export function serverFailure(text: string, cause: unknown): Failure | undefined {
  const code = inScript.exec(text)?.[1] ?? /^-?([A-Z][A-Z0-9_]{2,})(?: |$)/.exec(text)?.[1]
  if (code === undefined) return undefined
  if (soon.has(code) || notDone.test(text)) return new Failure('again', code, text, cause)
  return new Failure(code === 'OOM' ? 'full' : 'refused', code, text, cause)
}

/** Never sent. */
export function unsent(cause: unknown): Failure {
  return new Failure('again', 'CONNECTION', `there is no connection to the server: ${textOf(cause)}`, cause)
}

/** Sent, and nobody knows. */
export function unanswered(cause: unknown): Failure {
  return new Failure('unknown', 'CONNECTION', `the connection was lost before the server had answered: ${textOf(cause)}`, cause)
}

/** Whoever handed the client in has closed it. */
export function closed(cause: unknown): Failure {
  return new Failure('refused', 'CLOSED', `the client that was handed in is closed: ${textOf(cause)}`, cause)
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
