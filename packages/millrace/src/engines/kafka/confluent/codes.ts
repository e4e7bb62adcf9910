import { type ErrorCode, MillraceError } from '../../../core/errors.js'
import type { NativeError } from './structure.js'

/** Of librdkafka: negative ones are its own, the others the broker's. */
export const codes = {
  unknownTopicLocal: -188,
  unknownPartitionLocal: -190,
  messageTimedOut: -192,
  timedOut: -185,
  queueFull: -184,
  purgedQueued: -152,
  fatal: -150,
  state: -172,
  fencedLocal: -144,
  assignmentLost: -142,
  noSuchEntry: -156,
  offsetOutOfRange: 1,
  assign: -175,
  revoke: -174,
  maxPollExceeded: -147,
  unknownTopic: 3,
  tooLarge: 10,
  listTooLarge: 18,
  illegalGeneration: 22,
  unknownMember: 25,
  rebalancing: 27,
  topicForbidden: 29,
  clusterForbidden: 31,
  invalidTimestamp: 32,
  topicExists: 36,
  invalidPartitions: 37,
  policyViolation: 44,
  invalidEpoch: 47,
  invalidTopic: 17,
  groupNotFound: 69,
  fencedInstance: 82,
  invalidRecord: 87,
  fencedProducer: 90,
  fencedMember: 110,
  staleMember: 113,
} as const

export const staleCodes: ReadonlySet<number> = new Set([codes.illegalGeneration, codes.unknownMember, codes.fencedInstance, codes.fencedMember, codes.staleMember, codes.assignmentLost])
export const fencedCodes: ReadonlySet<number> = new Set([codes.fencedLocal, codes.fencedProducer, codes.invalidEpoch])

const ownCodes: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  [codes.unknownTopicLocal, 'UNKNOWN_TOPIC'],
  [codes.unknownPartitionLocal, 'UNKNOWN_TOPIC'],
  [codes.unknownTopic, 'UNKNOWN_TOPIC'],
  [codes.noSuchEntry, 'UNKNOWN_TOPIC'],
  [codes.invalidTopic, 'INVALID'],
  [codes.tooLarge, 'TOO_LARGE'],
  [codes.listTooLarge, 'TOO_LARGE'],
  [codes.policyViolation, 'INVALID'],
  [codes.invalidRecord, 'INVALID'],
  [codes.invalidTimestamp, 'INVALID'],
  [codes.topicForbidden, 'FORBIDDEN'],
  [codes.clusterForbidden, 'FORBIDDEN'],
  [codes.queueFull, 'FULL'],
  [codes.purgedQueued, 'CLOSED'],
  [codes.topicExists, 'TOPIC_EXISTS'],
  [codes.timedOut, 'TIMEOUT'],
])

/** It passes: a leader or coordinator moves, a connection is made again. */
export const passingCodes: ReadonlySet<number> = new Set([-195, 5, 6, 7, 9, 14, 15, 16, 74, 75, 76])

/** Of these librdkafka and the broker say that the record was never appended, whatever is tried. */
const refusals: ReadonlySet<number> = new Set([
  codes.unknownTopicLocal, codes.unknownPartitionLocal, codes.unknownTopic, codes.tooLarge, codes.listTooLarge, codes.policyViolation, codes.invalidRecord, codes.invalidTimestamp, codes.invalidTopic,
  codes.topicForbidden, codes.clusterForbidden, codes.queueFull, codes.purgedQueued,
])

export function isNativeError(error: unknown): error is NativeError {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'number'
}

/** The error itself when it is ours. */
export function asError(error: unknown, what: string, otherwise: ErrorCode = 'ENGINE_FAILED'): MillraceError {
  if (error instanceof MillraceError) return error
  const reason = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error)
  const code = isNativeError(error) ? (ownCodes.get(error.code) ?? otherwise) : otherwise
  return new MillraceError(code, `${what}: ${reason}`, { cause: error })
}

/** The answer to a record that was not confirmed. */
export function refused(error: unknown): { readonly error: MillraceError; readonly stored: 'no' | 'unknown' } {
  if (isNativeError(error) && refusals.has(error.code)) return { error: asError(error, 'the record was refused'), stored: 'no' }
  return { error: asError(error, 'the record was not confirmed', 'UNKNOWN_OUTCOME'), stored: 'unknown' }
}
