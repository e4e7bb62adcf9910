import { type ErrorCode, MillraceError, isMillraceError } from 'millrace'
import type { Problem } from '../config/check.js'
import { type Language, problemText } from '../config/problem-words.js'
import type { ErrorData } from './envelope.js'
import { statusOf } from './status.js'
import { errorText } from './words.js'

/** A request that does not fit its call's schemas. */
export class BadRequest extends Error {
  readonly part: string
  readonly problems: readonly [Problem, ...Problem[]]

  constructor(part: string, problems: readonly [Problem, ...Problem[]]) {
    super(problems.map((problem) => problemText(problem, 'en', part)).join('; '))
    this.part = part
    this.problems = problems
  }
}

/** Some answers of a call with several came too late. */
export class StaleAnswers extends Error {
  readonly results: readonly unknown[]

  constructor(results: readonly unknown[]) {
    super('the lease is over: the message was handed on, or answered before; pull again')
    this.results = results
  }
}

export interface FailureAnswer {
  readonly status: number
  readonly body: { readonly code: number; readonly message: string; readonly data: ErrorData }
}

/** Any error as an answer. What is not ours is a 500 that tells nothing of the inside. */
export function failureAnswer(error: unknown, language: Language): FailureAnswer {
  if (error instanceof BadRequest) return badRequest(error, language)
  if (error instanceof StaleAnswers) return answer(409, 'LAPSED', error.message, language, { field: 'tokens', results: [...error.results] })
  if (isMillraceError(error)) return answer(statusOf[error.code], error.code, wordsOf(error), language, { field: fieldOf(error) ?? null, retryable: error.retryable })
  return framework(error, language)
}

/** What the library calls otherwise than the API. */
const fields: Readonly<Record<string, string>> = { topic: 'topicName', group: 'groupId', id: 'messageId', maxMessageBytes: 'maxMessageSize' }

/** The field of the API that an error is about. */
export function fieldOf({ code, field }: MillraceError): string | undefined {
  return field !== undefined && code !== 'UNKNOWN_HOLD' && Object.hasOwn(fields, field) ? fields[field] : field
}

/** The library's words, where it does not advise what only a program can do. */
export function wordsOf({ code, message }: MillraceError): string {
  const [unknown] = code === 'UNKNOWN_TOPIC' ? message.split(':') : []
  return unknown === undefined ? message.replace('maxMessageBytes', 'maxMessageSize') : `${unknown}: create it first (POST /topics, or millrace topics create)`
}

function badRequest(error: BadRequest, language: Language): FailureAnswer {
  const [first] = error.problems
  const said = error.problems.map((problem) => problemText(problem, language, error.part)).join(language === 'zh' ? '；' : '; ')
  const plain = answer(400, 'INVALID', error.message, language, {
    field: first.path === '' ? error.part : first.path,
    problems: error.problems.map((problem) => ({ field: problem.path, message: problemText(problem, language, error.part) })),
  })
  return language === 'en' ? plain : { status: plain.status, body: { ...plain.body, message: errorText('INVALID', said, language) } }
}

/** What Fastify itself refuses carries a status below 500. */
function framework(error: unknown, language: Language): FailureAnswer {
  const status = statusCodeOf(error)
  if (status === undefined || status >= 500) return answer(500, 'ENGINE_FAILED', 'the server failed: its log has the reason', language)
  if (status === 413) return answer(status, 'TOO_LARGE', 'body is larger than limits.bodyBytes of the server: send less in one call', language, { field: 'body' })
  if (status === 415) return answer(status, 'INVALID', 'send the body as JSON, with the header Content-Type: application/json', language, { field: 'content-type' })
  return answer(status, 'INVALID', error instanceof Error ? error.message : String(error), language)
}

function statusCodeOf(error: unknown): number | undefined {
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined
  return typeof status === 'number' ? status : undefined
}

function answer(status: number, code: ErrorCode, detail: string, language: Language, more: Partial<ErrorData> = {}): FailureAnswer {
  const data: ErrorData = { error: code, field: null, detail, retryable: false, ...more }
  return { status, body: { code: status, message: errorText(code, detail, language), data } }
}

/** Nothing is at this address. */
export function unknownAddress(method: string, url: string): Error {
  return Object.assign(new Error(`${method} ${url} is not a call of this server: see /openapi.json`), { statusCode: 404 })
}

export function unauthenticated(): MillraceError {
  return new MillraceError('UNAUTHENTICATED', 'show a token of the server\'s config: Authorization: Bearer TOKEN', { field: 'authorization' })
}

export function forbidden(): MillraceError {
  return new MillraceError('FORBIDDEN', 'this call needs a token with the role admin', { field: 'authorization' })
}
