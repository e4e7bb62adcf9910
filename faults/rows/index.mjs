/**
 * The rows of the fault table, one file a row or a small family; ARCHITECTURE and docs/reliability.md say what they prove.
 *
 * A row is an object:
 *
 * - `id`, `title`: F2, and what goes wrong, in a few words.
 * - `scene`: who is there, as data: `topics` (`{ name, partitions }`), `groups` (`{ topic, group }`), `parts` (`{ name, role, options, revive }`). A role is a file of
 *   `actors/`, where its options and what it can be told stand. `everyday()` in `scenes.mjs` is the usual one.
 * - `disturb(stage)`: does the bad things while `stage.lasts`, each inside `stage.fault(name, about, work)`, and leaves everybody
 *   running. Chance comes from `stage.random` only, and waits from `stage.pause`, so that a seed repeats a run as far as a machine can.
 * - `faults`: the names of those that must really have happened, or the run has failed, or what answers them for a stage; `checks`: the invariants that the history must say something
 *   about.
 * - Optional: `seconds` of trouble (10), `leaseMs` as its consumers have it (2,000), `drainMs` until all must be at rest (30,000), `settings` for the engine's
 *   adapter, `process(run)` (`{ env, execArgv }` of its processes), `options` for the checker, `expects(report, stage)` for what else must be so (troubles in
 *   words), `cannot(adapter)` (why it cannot run here).
 * - Optional too: `everyMs` ([least, most] between two kills, of F2 and F5), `isProxied` (clients come to the engine's server through network/proxy.mjs), `hangMs` (no call may take longer), `server(folder)` (what the adapter's `serve` is
 *   told of it, beside what was chosen).
 * - Or, where that is not what happens: `run({ row, adapter, serve, run, seconds, progress })`, which answers what `runRow` does; with `notes`, lines for people. `serve(more)` is the
 *   adapter's, with what was chosen.
 *
 * After `disturb` the runner has the producers finish, waits until nothing is left to do, ends everybody, writes down what the store holds, and
 * checks the history of all.
 */
import { producerKilled } from './f01-producer-killed.mjs'
import { consumerKilled } from './f02-consumer-killed.mjs'
import { serverKilled } from './f03-server-killed.mjs'
import { everyStep } from './f04-every-step.mjs'
import { brokerKilled } from './f05-broker-killed.mjs'
import { powerLoss } from './f06-power-loss.mjs'
import { damagedStore } from './f07-damage.mjs'
import { zombie } from './f08-zombie.mjs'
import { paused } from './f09-paused.mjs'
import { full } from './f10-full.mjs'
import { ioErrors } from './f11-io-errors.mjs'
import { network } from './f12-network.mjs'
import { answerLost } from './f13-answer-lost.mjs'
import { clockJumps } from './f14-clock.mjs'
import { poison } from './f15-poison.mjs'
import { storm } from './f16-storm.mjs'
import { failover } from './f18-failover.mjs'
import { rewriteKilled } from './f19-rewrite-killed.mjs'
import { ownerDies } from './f20-owner-dies.mjs'
import { delayStorm } from './f21-delays.mjs'

export const rows = [
  producerKilled,
  consumerKilled,
  serverKilled,
  everyStep,
  brokerKilled,
  powerLoss,
  damagedStore,
  zombie,
  paused,
  full,
  ioErrors,
  network,
  answerLost,
  clockJumps,
  poison,
  storm,
  failover,
  rewriteKilled,
  ownerDies,
  delayStorm,
]
