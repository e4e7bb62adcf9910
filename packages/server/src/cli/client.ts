import type { ErrorData } from '../api/envelope.js'
import { CommandFailure, type ExitCode, exitCodes } from './exit-codes.js'

const base = '/api/v1/mq'

interface Envelope {
  readonly code: number
  readonly message: string
  readonly data: unknown
}

export type Query = Readonly<Record<string, string | number | undefined>>

/** Answers what is read: a running server, or one that is made for it. */
export interface Asker {
  /** `T` is the call's `data`, as its schema on the server has it. */
  get<T>(path: string, query?: Query): Promise<T>
}

/** Talks to a running server. Every method throws CommandFailure with one line that says what to do. */
export class Client implements Asker {
  readonly url: string
  readonly #token: string | undefined

  constructor(url: string, token: string | undefined) {
    this.url = url.replace(/\/+$/, '')
    this.#token = token
  }

  /** `T` is the call's `data`, as its schema on the server has it. */
  get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    const pairs = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as [string, string]]))
    const search = new URLSearchParams(pairs).toString()
    return this.#call('GET', search === '' ? path : `${path}?${search}`, undefined, signal)
  }

  post<T>(path: string, body?: object, signal?: AbortSignal): Promise<T> {
    return this.#call('POST', path, body, signal)
  }

  put<T>(path: string, body: object): Promise<T> {
    return this.#call('PUT', path, body)
  }

  delete<T>(path: string): Promise<T> {
    return this.#call('DELETE', path)
  }

  async #call<T>(method: string, path: string, body?: object, signal?: AbortSignal): Promise<T> {
    const headers = { ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }), ...(body && { 'content-type': 'application/json' }) }
    const response = await this.#fetch(base + path, { method, headers, ...(body && { body: JSON.stringify(body) }), ...(signal && { signal }) })
    const answer = await this.#read(response)
    if (response.ok) return answer.data as T // the server writes it by the call's schema
    throw failure(response.status, answer)
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(this.url + path, init)
    } catch (cause) {
      if (init.signal?.aborted) throw cause
      throw new CommandFailure(exitCodes.unreachable, `no server answers at ${this.url}: start one with "millrace serve", or name another with --url or MILLRACE_URL`, { cause, detail: { error: 'UNREACHABLE', retryable: true } })
    }
  }

  async #read(response: Response): Promise<Envelope> {
    const text = await response.text()
    try {
      return JSON.parse(text) as Envelope // what is no envelope has no data, and is refused by its status
    } catch (cause) {
      throw new CommandFailure(exitCodes.failed, `${this.url} answers ${response.status} and no JSON: it is not a Millrace server`, { cause })
    }
  }
}

function failure(status: number, { message, data }: Envelope): CommandFailure {
  const told = typeof data === 'object' && data !== null && 'detail' in data ? (data as ErrorData) : undefined
  const words = status === 401 ? 'the server wants a token: set MILLRACE_TOKEN to one of its config' : (told?.detail ?? message)
  // A server that goes away, or has too much to do, says so by its status alone.
  const detail = { retryable: status === 429 || status === 503, ...(told && { error: told.error, field: told.field }), ...(told?.retryable && { retryable: true }) }
  return new CommandFailure(exitCodeOf(status), words, { detail })
}

function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403) return exitCodes.notAllowed
  if (status === 404) return exitCodes.notFound
  return status === 409 ? exitCodes.conflict : exitCodes.failed
}

/** A name or id as a part of a path. */
export function part(text: string): string {
  return encodeURIComponent(text)
}
