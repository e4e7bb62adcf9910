import { channel, tracingChannel } from 'node:diagnostics_channel'
import type { Draft, Durability } from '../core/index.js'
import type { Delivery, Held, Outcome, Published, Verdict } from '../engine/index.js'

/** Handed to the subscribers of `tracing:millrace:send:*`: one call to the engine. `answers` from `asyncEnd` on. */
export interface SendOperation {
  readonly engine: string
  readonly drafts: readonly Draft[]
  readonly level: Durability | undefined
  answers?: readonly Published[]
}

/** Handed to the subscribers of `tracing:millrace:process:*`: one run of a handler, of one message or a batch. */
export interface ProcessOperation {
  readonly engine: string
  readonly group: string
  readonly deliveries: readonly Delivery[]
  readonly attempt: number
}

/** Handed to the subscribers of `tracing:millrace:settle:*`. `outcomes` from `asyncEnd` on. */
export interface SettleOperation {
  readonly engine: string
  readonly group: string
  readonly verdicts: readonly Verdict[]
  outcomes?: readonly Outcome[]
}

/** Handed to the subscribers of `tracing:millrace:check:*`: a question about a prepared message. `answer` from `asyncEnd` on. */
export interface CheckOperation {
  readonly engine: string
  readonly held: Held
  answer?: 'commit' | 'rollback' | 'unknown'
}

/** Handed to the subscribers of `millrace:error`: a trouble that work goes on after. */
export interface ErrorReport {
  readonly error: unknown
}

const operations = {
  send: tracingChannel<unknown, SendOperation>('millrace:send'),
  process: tracingChannel<unknown, ProcessOperation>('millrace:process'),
  settle: tracingChannel<unknown, SettleOperation>('millrace:settle'),
  check: tracingChannel<unknown, CheckOperation>('millrace:check'),
}

interface Operations {
  send: SendOperation
  process: ProcessOperation
  settle: SettleOperation
  check: CheckOperation
}

const errors = channel('millrace:error')

/** Runs one operation and tells its channel; costs one look when nobody listens. */
export function traced<Name extends keyof Operations, T>(name: Name, operation: () => Operations[Name], run: (operation: Operations[Name] | undefined) => Promise<T>): Promise<T> {
  const tracing = operations[name]
  if (!isHeard(tracing)) return run(undefined)
  const about = operation()
  // The channel and the operation belong to the same name.
  return (tracing as unknown as { tracePromise(run: () => Promise<T>, about: Operations[Name]): Promise<T> }).tracePromise(() => run(about), about)
}

/** Whether anybody listens to an operation. */
export function isTraced(name: keyof Operations): boolean {
  return isHeard(operations[name])
}

function isHeard({ start, end, asyncStart, asyncEnd, error }: (typeof operations)[keyof Operations]): boolean {
  return start.hasSubscribers || end.hasSubscribers || asyncStart.hasSubscribers || asyncEnd.hasSubscribers || error.hasSubscribers
}

/** Tells the channel and whoever asked to hear of it; never throws. */
export function reportTo(onError: (error: unknown) => void, last: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    if (errors.hasSubscribers) errors.publish({ error } satisfies ErrorReport)
    try {
      onError(error)
    } catch (trouble) {
      last(trouble)
    }
  }
}
