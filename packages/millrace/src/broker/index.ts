export type { CaughtUpOptions } from './caught-up.js'
export { bytes, json, type Codec } from './codec.js'
export type { BatchConsumeOptions, ConsumeOptions, ConsumerDefaults } from './consume-options.js'
export type { CloseOptions, Consumer } from './consumer.js'
export type { DeadLetter, DeadLetterEdit } from './dead-letter.js'
export type { DeadLetterFilter } from './dead-letter-filter.js'
export type { PurgeOptions, RedriveOptions, SweepProgress } from './dead-letter-sweep.js'
export type { DeadLetterQuery, DeadLetters } from './dead-letters.js'
export type { DelayQuery, Delays } from './delays.js'
export type { CheckOperation, ErrorReport, ProcessOperation, SendOperation, SettleOperation } from './diagnostics.js'
export type { Groups } from './groups.js'
export { type HeadersInput, MessageHeaders, reservedHeaders } from './headers.js'
export type { Middleware, Outgoing } from './middleware.js'
export { Millrace } from './millrace.js'
export type { BufferOptions, MillraceOptions } from './options.js'
export type { Peeked, PeekOptions } from './peek.js'
export type { BatchContext, BatchHandler, BatchVerdict, Context, Handler, Received } from './received.js'
export { custom, type ErrorMatch, type ErrorRule, exponential, fixed, policyData, type Retry, type RetryPolicy, steps } from './retry-policy.js'
export type { NextTime, Schedule } from './schedule.js'
export type { Scheduled, Schedules } from './schedules.js'
export type { MessageOptions, Send, SendItem, SendManyOptions, SendOptions } from './send.js'
export type { SchemaInput, SchemaIssue, SchemaOutput, SchemaResult, StandardSchema } from './standard-schema.js'
export { type ContractOptions, topic, type TopicContract, type TopicRef, type TopicSettings } from './topic-contract.js'
export type { Topics } from './topics.js'
export type {
  AnswerOptions,
  Checker,
  Prepared,
  PreparedMessage,
  PrepareOptions,
  Transacted,
  TransactionOptions,
  TransactionWork,
} from './transactions.js'
