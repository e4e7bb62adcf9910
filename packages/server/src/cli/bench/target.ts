/** What is measured: a server over HTTP, or an engine in this process. */
export interface Target {
  readonly name: string
  create(topic: string, settings: TopicSettings): Promise<void>
  /** Resolves when all are stored. */
  send(topic: string, values: readonly string[]): Promise<void>
  /** Consumes and finishes messages until the signal aborts. */
  consume(ask: ConsumeAsk): Promise<void>
  remove(topic: string): Promise<void>
  close(): Promise<void>
}

export interface TopicSettings {
  readonly partitions: number
  readonly durability?: 'memory' | 'os' | 'fsync'
}

export interface ConsumeAsk {
  readonly topic: string
  readonly group: string
  readonly batch: number
  /** Requests, or batches, at one time. */
  readonly lanes: number
  /** Hears of each batch; `ms` is what taking and finishing it took, where that can be told. */
  readonly took: (count: number, ms?: number) => void
  readonly signal: AbortSignal
}
