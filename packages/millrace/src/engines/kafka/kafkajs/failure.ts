import { isMillraceError, MillraceError, type ErrorCode } from '../../../core/errors.js'

/** Numbers of Kafka's protocol. */
export const code = {
  none: 0,
  offsetOutOfRange: 1,
  corrupt: 2,
  unknownTopic: 3,
  noLeader: 5,
  notLeader: 6,
  timedOut: 7,
  tooLarge: 10,
  network: 13,
  coordinatorLoading: 14,
  coordinatorGone: 15,
  notCoordinator: 16,
  listTooLarge: 18,
  fewReplicas: 19,
  fewReplicasAfter: 20,
  storage: 56,
  outOfOrder: 45,
  duplicate: 46,
  staleEpoch: 47,
  unknownProducer: 59,
  groupNotFound: 69,
  topicForbidden: 29,
  concurrentTransactions: 51,
  fenced: 90,
} as const

interface KafkaJsError {
  readonly name: string
  /** Where one error stands for those of several topics or partitions. */
  readonly errors?: readonly unknown[]
  readonly partitions?: readonly { readonly error: unknown }[]
  readonly type?: string
  readonly code?: number | string
  readonly cause?: unknown
}

/** Of the protocol's error where the broker gave one (`ILLEGAL_GENERATION`), else the name of kafkajs's class. */
export function typeOf(error: unknown): string {
  if (!isErrorLike(error)) return String(error)
  if (isMillraceError(error)) return isErrorLike(error.cause) && typeof error.cause.type === 'string' ? typeOf(error.cause) : error.code
  // kafkajs's table ends before this one.
  if (error.code === code.fenced) return 'PRODUCER_FENCED'
  if (typeof error.type === 'string') return error.type
  const part = error.errors?.[0] ?? error.partitions?.[0]?.error
  if (part !== undefined) return typeOf(part)
  return error.name === 'KafkaJSNumberOfRetriesExceeded' && error.cause !== undefined ? typeOf(error.cause) : error.name
}

/** The broker answered, and this is what it said: whatever was asked was not done. */
export function isAnswer(error: unknown): boolean {
  return isErrorLike(error) && typeof error.type === 'string' && !lostAnswers.has(error.type)
}

/** A broker says these when it does not know how it ended. */
const lostAnswers = new Set(['REQUEST_TIMED_OUT', 'NETWORK_EXCEPTION', 'UNKNOWN', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND'])

/** Nothing came back in time: the broker may hang. */
export function isSilence(error: unknown): boolean {
  const type = typeOf(error)
  return type === 'TIMEOUT' || type === 'KafkaJSRequestTimeoutError' || type === 'KafkaJSLockTimeout'
}

/** What may go away by itself: connections, elections, coordinators that load. */
export function isPassing(error: unknown): boolean {
  return passing.has(typeOf(error))
}

const passing = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSLockTimeout',
  'KafkaJSBrokerNotFound',
  'KafkaJSInvariantViolation',
  'TIMEOUT',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'REQUEST_TIMED_OUT',
  'NETWORK_EXCEPTION',
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
  'NOT_CONTROLLER',
  'BROKER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'UNKNOWN_LEADER_EPOCH',
  'FENCED_LEADER_EPOCH',
  'OFFSET_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
  'UNSTABLE_OFFSET_COMMIT',
])

/** In our own words, with kafkajs's error as the cause. */
export function failure(error: unknown, what: string, otherwise: ErrorCode = 'ENGINE_FAILED'): MillraceError {
  if (isMillraceError(error)) return error
  const type = typeOf(error)
  const reason = error instanceof Error ? error.message : String(error)
  return new MillraceError(codeOf(type) ?? otherwise, `${what}: ${reason}${reason.includes(type) ? '' : ` (${type})`}`, { cause: error })
}

function codeOf(type: string): ErrorCode | undefined {
  if (type.endsWith('AUTHORIZATION_FAILED')) return 'FORBIDDEN'
  if (type === 'KafkaJSSASLAuthenticationError' || type === 'SASL_AUTHENTICATION_FAILED') return 'UNAUTHENTICATED'
  if (type === 'KafkaJSRequestTimeoutError' || type === 'REQUEST_TIMED_OUT') return 'TIMEOUT'
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return 'UNKNOWN_TOPIC'
  if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE') return 'TOO_LARGE'
  if (type === 'INVALID_TOPIC_EXCEPTION' || type === 'INVALID_CONFIG' || type === 'INVALID_PARTITIONS' || type === 'INVALID_REPLICATION_FACTOR' || type === 'POLICY_VIOLATION') return 'CONFIG'
  return undefined
}

function isErrorLike(error: unknown): error is KafkaJsError {
  return typeof error === 'object' && error !== null && 'name' in error
}
