import { checkName, checkWhole, type Header, limits, MillraceError, type Millis } from '../core/index.js'
import { murmur2 } from '../routing/index.js'
import { encoded } from './drafter.js'
import { type HeadersInput, reservedHeaders, toHeaders } from './headers.js'
import type { TopicContract } from './topic-contract.js'

/** The next time after a time, or null when there is none: croner's `new Cron('0 3 * * *')` is one, so is a function. */
export type NextTime = ((after: Date) => Date | null | undefined) | { nextRun(after: Date): Date | null | undefined }

/** A message that is sent again and again. */
export type Schedule<Input = unknown> = {
  /** One schedule of this name in its topic. A letter or digit, then `A-Z a-z 0-9 . _ -`. */
  readonly name: string
  readonly value: Input
  /** Instead of the contract's key; null for none. */
  readonly key?: string | null
  readonly headers?: HeadersInput
} & (
  | { readonly cron: NextTime; readonly everyMs?: never }
  /** At the whole multiples of it since 1970, at least 100 ms. */
  | { readonly everyMs: Millis; readonly cron?: never }
)

/** A schedule that was checked. */
export interface Plan {
  readonly topic: string
  readonly name: string
  readonly everyMs?: Millis
  /** Equal where times, value, key and headers are. */
  readonly mark: string
  readonly key: string | null
  readonly headers: readonly Header[]
  /** The first slot after a time; undefined: none. Throws INVALID for a cron that gives no later time. */
  next(after: Millis): Millis | undefined
}

/** Throws INVALID naming the field, and CODEC. */
export function planOf<Input>(contract: TopicContract<Input, unknown>, schedule: Schedule<Input>): Plan {
  const { name, value, everyMs } = schedule
  checkName('name', name)
  const most = 160 - contract.name.length
  if (name.length > most) throw invalid('name', `is longer than the ${most} characters that topic ${contract.name} leaves it`)
  const next = nextOf(schedule)
  const key = schedule.key === undefined ? contract.key(value) : schedule.key
  const headers = toHeaders(schedule.headers)
  const content = [...headers.map(([, bytes]) => bytes), encoded(contract.codec, value) ?? new Uint8Array()]
  const shape = JSON.stringify([everyMs ?? samples(next), key, headers.map(([header]) => header), content.map((bytes) => bytes.length)])
  const mark = (murmur2(Buffer.concat([Buffer.from(shape), ...content])) >>> 0).toString(36)
  return { topic: contract.name, name, mark, key, headers: [...headers, [reservedHeaders.schedule, Buffer.from(name)]], next, ...(everyMs !== undefined && { everyMs }) }
}

function nextOf({ everyMs, cron }: Schedule): Plan['next'] {
  if ((everyMs === undefined) === (cron === undefined)) throw invalid('cron', 'or everyMs has to be given, and not both')
  if (everyMs !== undefined) {
    checkWhole('everyMs', everyMs, limits.minScheduleMs, Number.MAX_SAFE_INTEGER)
    return (after) => (Math.floor(after / everyMs) + 1) * everyMs
  }
  const ask = typeof cron === 'function' ? cron : cron?.nextRun.bind(cron)
  if (ask === undefined) throw invalid('cron', 'is neither a function nor an object with nextRun(after)')
  return (after) => {
    const at = ask(new Date(after))?.getTime()
    if (at !== undefined && !(at > after)) throw invalid('cron', `gave ${at} as the time after ${after}`)
    return at
  }
}

/** Through a year, at every hour of the day and day of the week: two crons that differ are told apart without knowing how they are written. */
function samples(next: Plan['next']): (Millis | undefined)[] {
  return Array.from({ length: 64 }, (_, count) => next(Date.UTC(2026, 0, 1) + count * 137 * 3_600_000))
}

function invalid(field: string, why: string): MillraceError {
  return new MillraceError('INVALID', `${field} ${why}`, { field })
}
