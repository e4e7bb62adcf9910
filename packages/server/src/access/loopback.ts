import { isIP } from 'node:net'
import { MillraceError } from 'millrace'
import type { Config } from '../config/schema.js'

/** Whether only programs of this machine reach the address. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase()
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'))
}

/** Refuses to listen where others can reach a server without access control. Throws CONFIG. */
export function checkListening({ listen, tokens }: Pick<Config, 'listen' | 'tokens'>): void {
  if (tokens.length > 0 || isLoopback(listen.host)) return
  throw new MillraceError(
    'CONFIG',
    `listen.host ${listen.host} can be reached from other machines and there are no tokens: add tokens (or set MILLRACE_ADMIN_TOKEN), or listen on 127.0.0.1`,
    { field: 'listen.host' },
  )
}

/**
 * Whether a `host` header names this machine. A server without tokens takes no other: a web page whose name was
 * made to point to loopback would otherwise reach it from a browser.
 */
export function isLocalHostHeader(header: string | undefined): boolean {
  const host = /^(\[[^\]]*\]|[^:]*)(:\d+)?$/.exec(header ?? '')?.[1] ?? ''
  return isLoopback(host.replace(/^\[|\]$/g, ''))
}
