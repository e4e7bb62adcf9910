import type { Clock, Millis } from '../../../core/clock.js'
import { MillraceError } from '../../../core/errors.js'
import { asError } from './codes.js'
import type { Settings } from './settings.js'
import type { ConfluentLibrary, NativeClient } from './structure.js'
import { told, within } from './wait.js'

/** A topic that every cluster knows or says that it does not. */
export const everywhere = '__consumer_offsets'

/** What the parts of this client share. */
export interface Base {
  readonly library: ConfluentLibrary
  readonly brokers: readonly string[]
  /** Of the cluster's brokers, and the user's own. */
  readonly settings: Settings
  readonly clock: Clock
  /** How long a question to the cluster may take. */
  readonly answerMs: Millis
  /** How long a close may take. */
  readonly closeMs: Millis
}

/** Connects, or says why not and leaves nothing behind. `disconnect` is what this client closes itself with. */
export async function connect(base: Base, client: NativeClient, disconnect: () => Promise<unknown>): Promise<void> {
  // An event of this name ends the process when nobody hears it.
  client.on('error', () => undefined)
  const work = told((answer) => client.connect({ topic: everywhere, allTopics: false, timeout: base.answerMs }, answer))
  const problem = await within(base.clock, base.answerMs + 1_000, work)
  if (problem === undefined) return
  if (problem === 'late') void work.then(disconnect)
  throw problem === 'late'
    ? new MillraceError('CONFIG', `no broker answered at ${base.brokers.join(', ')} in ${base.answerMs} ms`)
    : asError(problem, `cannot connect to ${base.brokers.join(', ')}`, 'CONFIG')
}

/** Makes a native client; settings that it does not know are the user's mistake. */
export function made<Client>(make: () => Client): Client {
  try {
    return make()
  } catch (error) {
    throw asError(error, 'the Kafka client refused its settings', 'CONFIG')
  }
}
