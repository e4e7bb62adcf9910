import { MillraceError } from '../../core/errors.js'
import type { Durability } from '../../core/message.js'
import { safe } from './ledger-settings.js'
import type { TopicDescription } from './port.js'

type Described = Pick<TopicDescription, 'replicationFactor' | 'config'>

/**
 * What a record survives that a topic has taken with acks=all. These are sets of faults: a topic may have copies and write none of them
 * to disk before it answers.
 */
export function survives({ replicationFactor, config }: Described): readonly Durability[] {
  const met: Durability[] = ['memory', 'os']
  if (config['flush.messages'] === '1') met.push('fsync')
  // Fewer in sync would let the one that answered be the only one that has it.
  if (replicationFactor >= 2 && Number(config['min.insync.replicas']) >= 2) met.push('replicated')
  return met
}

/** What a record survives in a topic of our own, made with these. */
export function survivesInOurs(replicationFactor: number, config: Readonly<Record<string, string>>): readonly Durability[] {
  return survives({ replicationFactor, config: { ...safe(replicationFactor), ...config } })
}

/** Throws UNSUPPORTED for a level that a topic so described does not meet. */
export function checkLevel(level: Durability | undefined, topic: string, described: Described): void {
  const met = survives(described)
  if (level === undefined || met.includes(level)) return
  throw new MillraceError('UNSUPPORTED', `topic ${topic} meets ${met.join(', ')} and not ${level}: ${hints[level]}`, { field: 'durability' })
}

const hints: Readonly<Record<Durability, string>> = {
  memory: 'ask for less',
  os: 'ask for less',
  fsync: 'Kafka answers before it has written to disk unless flush.messages is 1',
  replicated: 'give it a replicationFactor and min.insync.replicas of 2 or more',
}
