/** What this adapter calls of `@confluentinc/kafka-javascript`, described by structure. The package is the user's, and nothing here imports it. */
/** What `await import("@confluentinc/kafka-javascript")` gives. */
export interface ConfluentModule {
  readonly RdKafka: ConfluentLibrary
}

export interface ConfluentLibrary {
  readonly Producer: new (settings: NativeSettings) => NativeProducer
  readonly KafkaConsumer: new (settings: NativeSettings) => NativeConsumer
  readonly AdminClient: { create(settings: NativeSettings): NativeAdmin }
}

export type SettingValue = string | number | boolean
export type NativeSettings = Record<string, unknown>
/** One property: its name is the header's. */
export type NativeHeader = Readonly<Record<string, Buffer>>

export interface NativeError {
  readonly code: number
  readonly message: string
  readonly isFatal?: boolean
  readonly isRetriable?: boolean
  readonly isTxnRequiresAbort?: boolean
}

export type NativeAnswer = (error: NativeError | null | undefined) => void

/** Without `allTopics: false` the cluster answers about all that it has, whatever else is asked. Without `topic`, then, about those that the client knows. */
export interface NativeQuestion {
  readonly topic?: string
  readonly allTopics: false
  readonly timeout: number
}

export interface NativeClient {
  connect(question: NativeQuestion, answer: NativeAnswer): unknown
  isConnected(): boolean
  /** Makes the client remember what the cluster answers. Waits for it on a thread of libuv's pool. */
  getMetadata(question: NativeQuestion, answer: NativeAnswer): unknown
  on(event: 'event.error', hear: (error: NativeError) => void): unknown
  on(event: 'error', hear: (error: unknown) => void): unknown
}

export interface DeliveryReport {
  readonly topic: string
  readonly partition: number
  /** Below zero: not known. */
  readonly offset: number
  readonly opaque: unknown
}

export interface NativeProducer extends NativeClient {
  on(event: 'event.error', hear: (error: NativeError) => void): unknown
  on(event: 'error', hear: (error: unknown) => void): unknown
  on(event: 'delivery-report', hear: (error: NativeError | null | undefined, report: DeliveryReport) => void): unknown
  setPollInBackground(set: boolean): unknown
  /** Throws a NativeError. */
  produce(topic: string, partition: number, value: Buffer | null, key: Buffer | null, timestamp: number | undefined, opaque: unknown, headers: readonly NativeHeader[] | undefined): unknown
  disconnect(flushMs: number, done: () => void): unknown
  initTransactions(timeoutMs: number, answer: NativeAnswer): void
  beginTransaction(answer: NativeAnswer): void
  commitTransaction(timeoutMs: number, answer: NativeAnswer): void
  abortTransaction(timeoutMs: number, answer: NativeAnswer): void
}

export interface NativePlace {
  readonly topic: string
  readonly partition: number
  readonly offset?: number
}

export interface NativeMessage {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: readonly NativeHeader[]
  readonly timestamp: number
}

export interface NativeEnd {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export interface NativeConsumer extends NativeClient {
  on(event: 'event.error', hear: (error: NativeError) => void): unknown
  on(event: 'error', hear: (error: unknown) => void): unknown
  unsubscribe(): unknown
  on(event: 'event.stats', hear: (stats: { readonly message: string }) => void): unknown
  on(event: 'event.error', hear: (error: NativeError) => void): unknown
  on(event: 'error', hear: (error: unknown) => void): unknown
  on(event: 'partition.eof', hear: (end: NativeEnd) => void): unknown
  setDefaultConsumeTimeout(timeoutMs: number): void
  consume(max: number, answer: (error: NativeError | null | undefined, messages?: readonly NativeMessage[]) => void): void
  subscribe(topics: readonly string[]): unknown
  incrementalAssign(places: readonly NativePlace[]): unknown
  incrementalUnassign(places: readonly NativePlace[]): unknown
  assignmentLost(): boolean
  pause(places: readonly NativePlace[]): unknown
  resume(places: readonly NativePlace[]): unknown
  commit(places: readonly NativePlace[]): unknown
  disconnect(done: () => void): unknown
}

export interface NativeTopic {
  readonly topic: string
  readonly num_partitions: number
  readonly replication_factor: number
  readonly config: Readonly<Record<string, string>>
}

export interface NativeTopicDescription {
  readonly name: string
  readonly error?: NativeError
  readonly partitions: readonly { readonly partition: number; readonly leader?: { readonly id: number } | null; readonly replicas: readonly unknown[] }[]
}

export interface NativeOffset extends NativePlace {
  readonly error?: NativeError | null
}

/** Callbacks take a NativeError first and the answer second. */
export type NativeResult<Answer> = (error: NativeError | null | undefined, answer: Answer) => void

export interface NativeAdmin {
  on(event: 'event.error', hear: (error: NativeError) => void): unknown
  createTopic(topic: NativeTopic, timeoutMs: number, answer: NativeAnswer): void
  deleteTopic(topic: string, timeoutMs: number, answer: NativeAnswer): void
  createPartitions(topic: string, total: number, timeoutMs: number, answer: NativeAnswer): void
  describeTopics(topics: readonly string[], options: { timeout: number }, answer: NativeResult<readonly NativeTopicDescription[]>): void
  listOffsets(places: readonly { topic: string; partition: number; offset: { timestamp: number } }[], options: { timeout: number; isolationLevel: number }, answer: NativeResult<readonly NativeOffset[]>): void
  deleteRecords(places: readonly NativePlace[], options: { timeout: number }, answer: NativeResult<readonly NativeOffset[]>): void
  listGroups(options: { timeout: number }, answer: NativeResult<{ readonly groups: readonly { readonly groupId: string; readonly state: number }[] }>): void
  listConsumerGroupOffsets(
    /** Without partitions: of all. */
    groups: readonly { groupId: string }[],
    options: { timeout: number },
    answer: NativeResult<readonly { readonly error?: NativeError; readonly partitions: readonly NativeOffset[] }[]>,
  ): void
  describeGroups(groups: readonly string[], options: { timeout: number }, answer: NativeResult<{ readonly groups: readonly { readonly error?: NativeError; readonly members: readonly unknown[] }[] }>): void
  deleteGroups(groups: readonly string[], options: { timeout: number }, answer: NativeResult<readonly { readonly error?: NativeError; readonly errorCode?: number }[]>): void
  disconnect(): void
}
