import { kafkaServer } from './kafka-server.mjs'

/** Rows that a rival can play: they ask for no more than to send, and to consume with a handler. */
const rows = ['F2', 'F5', 'F16']
/** Invariants about what a rival has not, delays and transactions, and how soon a process is ready: what waits for its group is seen in the waits. */
const absent = new Set(['I6', 'I7', 'I13'])
/** How long after one kill the next may come: the group has shared out anew by then. */
const everyMs = [8_000, 10_000]

const roles = {
  producer: () => import('./actors/producer.mjs'),
  consumer: () => import('./actors/consumer.mjs'),
  crowd: () => import('./actors/crowd.mjs'),
  observer: () => import('./actors/observer.mjs'),
}

/** How soon a silent member is taken for dead, the same for all: as soon as a broker allows, unless it is told otherwise. */
const leaseMs = 6_000
/** Slow enough for one handler at a time, a commit each: nobody falls behind because of its speed. */
const producing = { pauseMs: 150, batch: 3, keys: 24 }
const consuming = { leaseMs, workMs: 4 }
/** In F2 some handlers fail for a moment, as they do while what they call is away. */
const failing = { share: 0.01, forMs: 300 }

/**
 * Makes a rival an engine's adapter, which the rows use as any other. Its processes are those of `actors/` here: they write the same lines, and the same checker reads them.
 *
 * A rival is an object:
 *
 * - `name`; `missing(choices)`: why it cannot run here; `missingHere()`: why not in this very process, for its test; `prepare(choices)`: what its processes have to know, before all of them.
 * - `open({ settings, recorder, process })`, in the process that uses it: answers `{ send, consume, close }`.
 * - `send(topic, messages)`: messages are `{ id, key, partition, facts, value }`, where `value` is `facts` as JSON. Answers a place for each, `{ partition, offset }`, `offset` null where the client
 *   does not say; rejects when nobody knows what was stored.
 * - `consume({ topic, group, member, leaseMs, handle, taken, moved })`: joins the group, answers `{ close }`. `handle({ partition, offset, key, value })` rejects when the handler has failed;
 *   `taken(partition, next)` says that the broker has confirmed `next` as the group's place; `moved()` that the group shares out anew: what is not confirmed by now never is.
 * - Optional: `choices` as an engine's; `untold(choices)`, the invariants that its client tells nothing about; `process`, `{ env, execArgv, execPath }` of its processes; `ownVerdicts`, true where
 *   `open` writes down the verdicts; `server` and `observer` where they are not those of Kafka here.
 */
export function rivalAdapter(rival) {
  const { name, choices, missing = () => undefined, untold = () => [], process, server = kafkaServer, observer = roles.observer } = rival
  return {
    name: `rivals/${name}`,
    rows,
    choices,
    rival,
    formMs: 11_000,
    takeOverMs: 6_000,
    missing: (chosen) => server.missing() ?? missing(chosen),
    serve: (part) => server.serve({ ...part, rival }),
    survives: () => ['memory', 'os'],
    roles: { ...roles, observer },
    process,
    plays: (row, chosen = {}) => played(row, untold(chosen)),
  }
}

/** The row without what a rival cannot be asked for. */
function played(row, untold) {
  if (!rows.includes(row.id)) return { ...row, cannot: () => `rivals play ${rows.join(', ')}` }
  const options = { producer: producing, consumer: { ...consuming, ...(row.id === 'F2' ? { failing } : {}) } }
  const parts = row.scene.parts
    .filter(({ role }) => role in roles)
    // Who ends by itself is started again, as it is by whatever runs programs elsewhere.
    .map((part) => ({ ...part, revive: true, options: part.role === 'crowd' ? { ...part.options, member: { ...part.options.member, ...consuming } } : { ...part.options, ...options[part.role] } }))
  return { ...row, leaseMs, everyMs, options: { ...row.options, readyMs: Infinity }, scene: { ...row.scene, parts }, checks: row.checks.filter((each) => !absent.has(each) && !untold.includes(each)) }
}
