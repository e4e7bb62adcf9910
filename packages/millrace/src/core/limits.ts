/** Every limit of the library: its name says the unit, its value is the default. */
export const limits = {
  /** Partitions of a topic, at most. */
  maxPartitions: 1_024,
  /** Bytes of value, key and headers together, unless the topic says otherwise. */
  maxMessageBytes: 1_048_576,
  /** The most that a topic may allow. */
  maxMessageBytesCeiling: 67_108_864,
  maxKeyBytes: 1_024,
  maxIdChars: 200,
  maxHeaders: 64,
  /** Drafts in one publish, verdicts in one settle, decisions in one decide. */
  maxBatch: 10_000,
  /** Messages in one lease. */
  maxLease: 10_000,
  /** Items of a page of `browse`, `holds`. */
  maxPage: 1_000,
  /** Kept of what every group has read: seven days. */
  keepAgeMs: 7 * 24 * 3_600_000,
  /** Silence after which a member counts as dead. */
  leaseMs: 10_000,
  /** How long the application's thread may be busy before its member's beat stops. */
  stallMs: 300_000,
  /** How long a revoked partition may drain before it is taken by force. */
  drainMs: 10_000,
  /** Deliveries without a verdict, after which a message is parked as poison. */
  maxDeliveries: 3,
  /** Longest time between two looks when nothing rings. */
  safetyLookMs: 1_000,
  /** Characters kept of a failure's reason, and of its stack. */
  maxReasonChars: 1_000,
  maxStackChars: 8_000,
  /** Longest encoded bookmark taken from a header or a request. */
  maxBookmarkBytes: 4_096,
  /** First question about a prepared message, time between questions, how many. */
  prepareImmunityMs: 6_000,
  prepareEveryMs: 30_000,
  prepareChecks: 15,
  /** Messages, and bytes of their values, that wait to be handed to the engine. */
  sendBufferMessages: 50_000,
  sendBufferBytes: 67_108_864,
  /** Sends that wait for room in that buffer, and how long. */
  sendWaiters: 100_000,
  sendWaitMs: 30_000,
  /** Messages handed to the engine in one call, and calls that are under way at once. */
  publishBatch: 2_000,
  publishesUnderWay: 4,
  /** Age at which what is known of the topics is asked for again. */
  topicsFreshMs: 5_000,
  /** Handlers that run at once, unless the consumer says otherwise, and at most. */
  concurrency: 32,
  maxConcurrency: 10_000,
  /** Messages in hand at most, unless the consumer says otherwise: four for each handler, and no fewer than this. */
  minPrefetch: 1_024,
  /** Messages handed to a batch handler at once. */
  batchMessages: 1_000,
  /** How long a handler may take. */
  handlerMs: 300_000,
  /** How long a lease waits for a message. */
  leaseWaitMs: 30_000,
  /** Waits between two tries of what the engine failed: the first, and the longest. */
  engineBackoffMs: 100,
  maxEngineBackoffMs: 10_000,
  /** How long a close waits for handlers, and then for their verdicts to be stored. */
  closeMs: 30_000,
  closeSettleMs: 5_000,
  /** Most runs of a message's handler, and the longest wait between two. */
  maxAttempts: 1_000,
  maxBackoffMs: 30 * 24 * 3_600_000,
  /** Finished ids that a consumer may remember. */
  maxRemembered: 1_000_000,
  /** Dead letters that one search looks through. */
  searchScan: 10_000,
  /** Shortest time between two slots of a schedule by `everyMs`. */
  minScheduleMs: 100,
  /** How much the clocks of instances may differ, or be set back, while a slot is sent once. */
  scheduleDedupMs: 3_600_000,
  /** Silence after which a plan gives way to an older one that an instance still has. */
  scheduleTakeOverMs: 60_000,
  /** Dead letters decided in one call. */
  sweepBatch: 500,
} as const
