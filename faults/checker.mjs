import { Book } from './checker/book.mjs'
import { noLoss } from './checker/i01-no-loss.mjs'
import { noPhantom } from './checker/i02-no-phantom.mjs'
import { keyOrder } from './checker/i03-key-order.mjs'
import { duplicates } from './checker/i04-duplicates.mjs'
import { fencing } from './checker/i05-fencing.mjs'
import { delays } from './checker/i06-delays.mjs'
import { transactions } from './checker/i07-transactions.mjs'
import { acks } from './checker/i08-acks.mjs'
import { poison } from './checker/i09-poison.mjs'
import { conservation } from './checker/i10-conservation.mjs'
import { offsets } from './checker/i11-offsets.mjs'
import { isolation } from './checker/i12-isolation.mjs'
import { recovery } from './checker/i13-recovery.mjs'
import { corruption } from './checker/i14-corruption.mjs'
import { drains } from './checker/i15-drains.mjs'
import { audit } from './checker/i16-audit.mjs'
import { lossesOf } from './checker/losses.mjs'

export const invariants = [noLoss, noPhantom, keyOrder, duplicates, fencing, delays, transactions, acks, poison, conservation, offsets, isolation, recovery, corruption, drains, audit]

const defaults = {
  /** How long after a fault's end its effects may show: a lease, and half a second to take over. */
  graceMs: 10_500,
  lateMs: 2_000,
  /** Wall clocks are read in whole milliseconds. */
  earlyMs: 1,
  readyMs: 10_000,
  p99Ratio: 1.2,
  p99FloorMs: 1,
  /** Violations of one invariant that are told in full; `counts` has all of them. */
  told: 20,
}

const eventsTold = 5

/**
 * Checks a history, given as events in the order of time: `readHistory(historyFiles(folder))`. Knows nothing of the engine, one pass.
 * Answers `{ acknowledged, lost, duplicated, violations, counts, checked, faults }`: `lost` counts messages, also those that a fault was allowed
 * to take, and is null where no rest was taken; `duplicated` counts deliveries that nobody asked for; `checked` are the invariants that the
 * history has something to say about; `faults` counts those that happened, by name.
 */
export function checkHistory(events, options = {}) {
  const settings = { ...defaults, ...options }
  const book = new Book(settings)
  const suspicions = []
  const watchers = invariants.map(({ invariant, watch }) => {
    const suspect = (what, about, isExcused) => suspicions.push({ invariant, what, about, isExcused })
    return { invariant, ...watch({ book, suspect, options: settings }) }
  })
  const hooks = hooksOf(watchers)
  for (const event of events) take(event, book, hooks)
  for (const watcher of watchers) watcher.end?.()
  const isRested = book.rest.isComplete && book.rest.census.size > 0
  let acknowledged = 0
  for (const message of book.messages()) if (message.ok) acknowledged += 1
  return {
    acknowledged,
    lost: isRested ? new Set(lossesOf(book).map(({ message }) => message)).size : null,
    duplicated: book.duplicated,
    ...judge(suspicions, settings.told),
    checked: watchers.filter((watcher) => watcher.applies()).map(({ invariant }) => invariant),
    faults: count(book.faults.happened.map(({ event }) => event.fault)),
  }
}

/** Every watcher looks before the book knows. */
function take(event, book, hooks) {
  const { kind } = event
  if (kind === 'ok' || kind === 'fail' || kind === 'info') {
    const invoke = book.callOf(event)
    const message = invoke.id === undefined ? undefined : book.message(invoke)
    const story = invoke.op === 'settle' ? book.story(invoke, message) : undefined
    if (invoke.op === 'settle') call(hooks.settled, event, invoke, message, story)
    else if (invoke.op === 'send') call(hooks.sent, event, invoke, message)
    call(hooks.answered, event, invoke, message)
    book.answer(event, invoke, message, story)
    return
  }
  const message = kind === 'delivered' || (kind === 'invoke' && event.id !== undefined) ? book.message(event) : undefined
  const story = kind === 'delivered' ? book.story(event, message) : undefined
  call(hooks[kind === 'invoke' ? 'invoked' : kind], event, message, story)
  book.enter(event, message, story)
}

/** By event: those who want to hear of it. */
function hooksOf(watchers) {
  const hooks = {}
  for (const watcher of watchers) {
    for (const [name, hook] of Object.entries(watcher)) {
      if (typeof hook === 'function' && name !== 'end' && name !== 'applies') (hooks[name] ??= []).push(hook)
    }
  }
  return hooks
}

function call(listeners, ...facts) {
  for (const listener of listeners ?? []) listener(...facts)
}

/** Only now are all faults known, and with them which suspicions they excuse. */
function judge(suspicions, told) {
  const counts = {}
  const violations = []
  for (const { invariant, what, about, isExcused } of suspicions) {
    if (isExcused?.()) continue
    counts[invariant] = (counts[invariant] ?? 0) + 1
    if (counts[invariant] <= told) violations.push({ invariant, what, events: about.filter((event) => event !== undefined).slice(0, eventsTold) })
  }
  return { violations, counts }
}

function count(names) {
  const counts = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
