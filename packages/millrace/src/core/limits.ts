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
} as const
