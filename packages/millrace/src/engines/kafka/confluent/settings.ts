import { MillraceError } from '../../../core/errors.js'
import type { SettingValue } from './structure.js'

/** What the promises of the port rest on, and what the adapter sets by itself. */
const ours: ReadonlySet<string> = new Set([
  'acks', 'request.required.acks', 'enable.idempotence', 'enable.gapless.guarantee', 'transactional.id', 'transaction.timeout.ms', 'isolation.level', 'enable.auto.commit',
  'auto.commit.enable', 'enable.auto.offset.store', 'enable.partition.eof', 'auto.offset.reset', 'bootstrap.servers', 'metadata.broker.list', 'group.id', 'group.instance.id', 'group.protocol',
  'partition.assignment.strategy', 'session.timeout.ms', 'heartbeat.interval.ms', 'max.poll.interval.ms', 'rebalance_cb', 'offset_commit_cb', 'dr_cb', 'dr_msg_cb', 'event_cb', 'queue_non_empty_cb',
])

export type Settings = Readonly<Record<string, SettingValue>>

export function checkSettings(settings: Settings): void {
  const taken = Object.keys(settings).find((name) => ours.has(name))
  if (taken === undefined) return
  throw new MillraceError('CONFIG', `the setting ${taken} is the engine's own: its promises rest on it`, { field: taken })
}

/** For every kind of client: they come back soon after a broker did. */
export function commonSettings(brokers: readonly string[]): Settings {
  return {
    'bootstrap.servers': brokers.join(','),
    'allow.auto.create.topics': false,
    'topic.metadata.propagation.max.ms': 3_000,
    // A connection that has fallen silent is given up: by the client's default after a minute, in which nothing goes on.
    'socket.timeout.ms': 10_000,
    // A broker that stands still drops who wants to connect once its queue is full, and the host asks again at ever longer intervals: by the client's default that is waited for half a minute.
    'socket.connection.setup.timeout.ms': 3_000,
    'reconnect.backoff.ms': 50,
    'reconnect.backoff.max.ms': 500,
    'socket.nagle.disable': true,
  }
}

/** Bounded memory. Batches grow while earlier ones are under way, so that waiting for more gains nothing: singles get slower, and bulk is no faster. */
export const producerSettings: Settings = {
  'enable.idempotence': true,
  acks: 'all',
  'linger.ms': 0,
  'batch.num.messages': 10_000,
  // The broker knows each topic's limit; a record beyond it gets the broker's own refusal.
  'message.max.bytes': 100_000_000,
  'queue.buffering.max.kbytes': 131_072,
  'message.timeout.ms': 30_000,
}

export const readerSettings: Settings = {
  'isolation.level': 'read_committed',
  'enable.auto.commit': false,
  'enable.auto.offset.store': false,
  'enable.partition.eof': true,
  'auto.offset.reset': 'error',
  // A partition that is added waits for the fetch under way.
  'fetch.wait.max.ms': 50,
  'fetch.error.backoff.ms': 100,
  'fetch.queue.backoff.ms': 10,
  'queued.max.messages.kbytes': 16_384,
}

export const adminSettings: Settings = {
  // What it is asked about may have been changed through another client just now.
  'metadata.max.age.ms': 1_000,
}

/** It reads nothing: its fetches, before the pause after an assignment, are of nothing. */
export const groupSettings: Settings = {
  'enable.auto.commit': false,
  'enable.auto.offset.store': false,
  'auto.offset.reset': 'latest',
  'partition.assignment.strategy': 'cooperative-sticky',
  'fetch.message.max.bytes': 1,
  'queued.min.messages': 1,
  // How soon partitions that were added are shared out.
  'topic.metadata.refresh.interval.ms': 5_000,
}
