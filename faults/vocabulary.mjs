/**
 * The words of a history. A history is what the processes of a run saw, one JSON object a line, one file a process; the
 * checker knows nothing else of the engine. Each line has what `common` lists, the fields of its kind, and, for a call,
 * those of its operation.
 *
 * A type is one of: string, number, boolean, offset (a decimal string, for offsets are 64 bits), list, and `null` where
 * there may be nothing; `?` after it: may be absent. Times `at` and `asked` are microseconds of CLOCK_MONOTONIC, which all
 * processes of a host share (a faked clock must leave it alone); `wall`, `due` and `until` are milliseconds since 1970.
 *
 * What a process is about to do it writes before, what it has seen it writes after: an `invoke` stands before its call,
 * `member` before the hand-over, `checkback` before the answer, `delivered` before the handler runs.
 */
export const common = { at: 'number', wall: 'number', process: 'string', kind: 'string' }

const message = { topic: 'string', id: 'string' }
const place = { partition: 'number', offset: 'offset' }
const sent = { ...message, key: 'string|null', sequence: 'number', sum: 'string?', by: 'string?' }

export const kinds = {
  // What there is. Written once, before it is used.
  /**
   * `survives`: what a verdict and, where the receipt does not say, a message of this topic outlives (memory, os, fsync, replicated). `unconfirmed`: what a place in the log outlives that
   * nobody was told of, as that of a delayed message; absent: the same.
   */
  topic: { topic: 'string', survives: 'list', unconfirmed: 'list?' },
  /** Only groups of mode share are held to promises. `from`: start or end. */
  group: { topic: 'string', group: 'string', mode: 'string', from: 'string' },

  // Calls. `call` is unique in its process. No answer at all, as from a killed process, is `info`.
  invoke: { op: 'string', call: 'number' },
  /** It happened. Answers to send: `partition`, `offset` (null while held), `survives`, `duplicate`. */
  ok: { call: 'number', partition: 'number?', offset: 'offset|null?', survives: 'list?', duplicate: 'boolean?' },
  /** It did not happen and never will: stored 'no', 'lapsed', 'gone'. */
  fail: { call: 'number', code: 'string' },
  /** Nobody knows: stored 'unknown' or 'weaker', a verdict 'unknown', a connection cut. */
  info: { call: 'number', code: 'string' },

  // What consumers and checkers see.
  /** `member` and `epoch` are the lease. `asked`: when the lease was asked for. `sum`: of the value as it came. */
  delivered: { ...message, ...place, group: 'string', key: 'string|null', sequence: 'number', member: 'string', epoch: 'number?', attempt: 'number', asked: 'number?', sum: 'string?' },
  /** A member gives up partitions: `what` is revoked (those in `partitions`) or leaving (all). */
  member: { topic: 'string', group: 'string', member: 'string', what: 'string', partitions: 'list?' },
  /** A producer group's answer about a prepared message: commit, rollback or unknown. */
  checkback: { ...message, is: 'string' },

  // What was done to them, written by the runner.
  /**
   * `number` ties `begin` to `end`. `happened` (with `end`) false: it was meant and did not come off, and excuses nothing. `end` is
   * when what was broken works again. `loses`: the durabilities that it does not spare, so that power loss has memory and os.
   * `shiftMs`: a clock jumped by so much. `damages`: bytes of a file were changed. `excuses` false: it is no reason for anything to come again or late.
   */
  fault: { fault: 'string', number: 'number', phase: 'string', on: 'string?', happened: 'boolean?', loses: 'list?', shiftMs: 'number?', damages: 'boolean?', excuses: 'boolean?' },
  /** What came of a fault that damages: `found` is damaged (the store said so) or intact (all was read back and is whole). */
  report: { number: 'number', found: 'string', code: 'string?' },
  /** A process was ready again. `manual`: somebody had to help. */
  ready: { elapsedMs: 'number', messages: 'number?', manual: 'boolean?' },
  /** A measurement of somebody who is not the culprit. `phase`: calm or disturbed. */
  sample: { of: 'string', phase: 'string', p99Ms: 'number?', memoryBytes: 'number?', capBytes: 'number?' },
  /** Went by rule: `ids` expired, or were trimmed or purged unread. `group` absent: for all. */
  gone: { topic: 'string', group: 'string?', ids: 'list', why: 'string' },
  /** An entry of the audit log. `action` is the operation, `by` who did it. */
  audit: { action: 'string', by: 'string', topic: 'string', group: 'string?', id: 'string?' },

  // At the end, written by the runner when all is quiet. A page a line.
  /** `of`: one of `rests`. A rest begins with `begin` and counts from `end`; a later one replaces it. */
  rest: { of: 'string' },
}

/** Operations of an `invoke`. With `by` it went through an interface that keeps an audit log. */
export const operations = {
  /** `sequence` grows by key. `due`: delayed until. `dedup`: sent with a dedup id. `poison`: its handler never ends well; `attempts`: deliveries that it is then allowed. */
  send: { ...sent, due: 'number?', dedup: 'boolean?', poison: 'string?', attempts: 'number?' },
  /** `transaction`: prepared messages that stand or fall together. */
  prepare: { ...sent, transaction: 'string?' },
  commit: { ...message },
  rollback: { ...message },
  /** `is`: done, retry (`until`), dead, back or lent. */
  settle: { ...message, ...place, group: 'string', member: 'string', epoch: 'number?', is: 'string', until: 'number?' },
  cancel: { ...message, by: 'string?' },
  reschedule: { ...message, due: 'number', by: 'string?' },
  /** Without an id: all dead letters of the group, or some of them. */
  redrive: { topic: 'string', group: 'string', id: 'string?', by: 'string?' },
  purge: { topic: 'string', group: 'string', id: 'string?', by: 'string?' },
  seek: { topic: 'string', group: 'string', partition: 'number?', by: 'string?' },
}

export const rests = {
  begin: {},
  end: {},
  /** Of a topic. `groups`: `{ group, ready, leased, retrying, lent, parked, dead, settled, purged, expired? }`. */
  census: { topic: 'string', published: 'number', groups: 'list' },
  /** What the metrics say of a group, in the census's words: only those given are compared. */
  metrics: { topic: 'string', group: 'string', counts: 'object' },
  /** In the log: `messages` are `{ id, offset, sum? }` in the order in which they were read. */
  stored: { topic: 'string', partition: 'number', messages: 'list' },
  /** `messages` are `{ id, until, kind? }`; `until` a time or 'decided'; `kind` of the failure. `group` on retry, dead, lent. */
  held: { topic: 'string', group: 'string?', why: 'string', messages: 'list' },
  /** How long it took until nothing was left to do, counted from the end of the faults. Null: it never came. */
  drained: { elapsedMs: 'number|null', withinMs: 'number' },
}

const values = {
  'delivered.attempt': (attempt) => attempt >= 1,
  'fault.phase': oneOf('begin', 'end'),
  'group.mode': oneOf('share', 'broadcast'),
  'group.from': oneOf('start', 'end'),
  'member.what': oneOf('revoked', 'leaving'),
  'checkback.is': oneOf('commit', 'rollback', 'unknown'),
  'settle.is': oneOf('done', 'retry', 'dead', 'back', 'lent'),
  'report.found': oneOf('damaged', 'intact'),
  'sample.phase': oneOf('calm', 'disturbed'),
  'held.why': oneOf('delay', 'retry', 'prepared', 'dead', 'lent'),
}

const types = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  offset: (value) => typeof value === 'string' && /^\d+$/.test(value),
  list: (value) => Array.isArray(value),
  object: (value) => typeof value === 'object' && value !== null,
  null: (value) => value === null,
}

/** The fields of each kind, operation and rest, ready to check by. */
const forms = new Map([
  ...Object.entries(kinds).map(([kind, fields]) => [kind, formOf(kind, { ...common, ...fields })]),
  ...Object.entries(operations).map(([op, fields]) => [`invoke ${op}`, formOf(op, fields)]),
  ...Object.entries(rests).map(([of, fields]) => [`rest ${of}`, formOf(of, fields)]),
])

/** What is wrong with an event, in a few words; nothing when it is as the table says. */
export function flawOf(event) {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return 'not an object'
  const form = forms.get(event.kind)
  if (form === undefined) return `there is no kind ${JSON.stringify(event.kind)}`
  const flaw = flawIn(event, form)
  if (flaw !== undefined || (event.kind !== 'invoke' && event.kind !== 'rest')) return flaw
  const word = event.kind === 'invoke' ? event.op : event.of
  const more = forms.get(`${event.kind} ${word}`)
  return more === undefined ? `there is no ${event.kind} ${JSON.stringify(word)}` : flawIn(event, more)
}

function flawIn(event, form) {
  for (const { field, isOptional, accepts, isKnown } of form) {
    const value = event[field]
    if (value === undefined ? !isOptional : !accepts.some((accept) => accept(value))) return `${field} is ${JSON.stringify(value)}`
    if (value !== undefined && isKnown !== undefined && !isKnown(value)) return `${field} is ${JSON.stringify(value)}`
  }
  return undefined
}

function formOf(name, fields) {
  return Object.entries(fields).map(([field, type]) => ({
    field,
    isOptional: type.endsWith('?'),
    accepts: type.replace('?', '').split('|').map((each) => types[each]),
    isKnown: values[`${name}.${field}`],
  }))
}

function oneOf(...words) {
  return (value) => words.includes(value)
}
