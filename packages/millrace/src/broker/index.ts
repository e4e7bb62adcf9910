export { bytes, json, type Codec } from './codec.js'
export type { BatchConsumeOptions, ConsumeOptions } from './consume-options.js'
export type { CloseOptions, Consumer } from './consumer.js'
export type { DeadLetter, DeadLetterEdit, DeadLetterFilter, DeadLetterQuery, DeadLetters, PurgeOptions, RedriveOptions, SweepProgress } from './dead-letters.js'
export type { DelayQuery, Delays } from './delays.js'
export type { Groups } from './groups.js'
export { type HeadersInput, MessageHeaders, reservedHeaders } from './headers.js'
export type { Middleware, Outgoing } from './middleware.js'
export { Millrace } from './millrace.js'
export type { BufferOptions, MillraceOptions } from './options.js'
export type { Peeked, PeekOptions } from './peek.js'
export type { BatchContext, BatchHandler, BatchVerdict, Context, Handler, Received } from './received.js'
export type { ErrorMatch, ErrorRule, Retry, RetryPolicy } from './retry-policy.js'
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
