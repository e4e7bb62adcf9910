import type { Socket } from 'node:net'

/**
 * What `await import('kafkajs')` gives, as far as this adapter calls it (2.2.4). kafkajs's own producer and consumer lose promises that
 * the engine makes (docs: they hide sequence numbers, drop the order of headers, read only inside a group, give no time to finish before a
 * partition goes away). So it lends us what it does well: connections, TLS, SASL, versions and the encoding of requests. Its documented
 * door to them is the `cluster` that a partition assigner is given.
 */
export interface KafkaJsModule {
  readonly Kafka?: KafkaJsConstructor
  readonly CompressionCodecs?: CompressionCodecs
  readonly default?: { readonly Kafka?: KafkaJsConstructor; readonly CompressionCodecs?: CompressionCodecs }
}

export type KafkaJsConstructor = new (config: Readonly<Record<string, unknown>> & { readonly brokers: string[] }) => KafkaJs

/** By the number of the codec in a batch's attributes; users of snappy or LZ4 add theirs, as kafkajs documents it. */
export type CompressionCodecs = Readonly<Record<number, unknown>>

export interface KafkaJs {
  consumer(config: {
    readonly groupId: string
    readonly allowAutoTopicCreation: boolean
    readonly partitionAssigners: ((given: { readonly cluster: unknown }) => Assigner)[]
  }): unknown
}

export interface Assigner {
  readonly name: string
  readonly version: number
  assign(): Promise<never>
  protocol(): { name: string; metadata: Buffer }
}

export interface Cluster {
  readonly rootLogger: unknown
  readonly connectionPoolBuilder: { build(place?: Place): Promise<ConnectionPool> }
  readonly brokerPool: { createBroker(made: { readonly connectionPool: ConnectionPool; readonly logger: unknown; readonly nodeId?: number }): Broker }
}

export interface Place {
  readonly host: string
  readonly port: number
}

export interface ConnectionPool {
  readonly pool: readonly { readonly requestQueue: RequestQueue }[]
  send(call: WireCall): Promise<unknown>
}

export interface RequestQueue {
  readonly pending: readonly unknown[]
  scheduleCheckPendingRequests(): void
}

/** One request in Kafka's protocol. `encode` answers what kafkajs takes for one of its encoders. */
export interface WireCall {
  readonly request: { readonly apiKey: number; readonly apiVersion: number; readonly apiName: string; encode(): Promise<{ readonly buf: Buffer; readonly buffer: Buffer }> }
  readonly response: { decode(raw: Buffer): Promise<unknown>; parse(decoded: unknown): Promise<unknown> }
  readonly requestTimeout?: number
}

export interface Broker {
  readonly nodeId: number | null
  readonly versions: Readonly<Record<number, { readonly maxVersion: number }>> | null
  readonly connectionPool: ConnectionPool
  isConnected(): boolean
  connect(): Promise<void>
  disconnect(): Promise<void>
  metadata(topics: readonly string[]): Promise<Metadata>
  findGroupCoordinator(asked: { readonly groupId: string; readonly coordinatorType: number }): Promise<{ readonly coordinator: Place & { readonly nodeId: number } }>
  initProducerId(asked: { readonly transactionalId?: string; readonly transactionTimeout: number }): Promise<{ readonly producerId: string; readonly producerEpoch: number }>
  addPartitionsToTxn(asked: ProducerCall & { readonly topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[] }): Promise<unknown>
  endTxn(asked: ProducerCall & { readonly transactionResult: boolean }): Promise<unknown>
  joinGroup(asked: JoinCall): Promise<Joined>
  syncGroup(asked: MemberCall & { readonly generationId: number; readonly groupAssignment: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[] }): Promise<{ readonly memberAssignment: Buffer | null }>
  heartbeat(asked: MemberCall & { readonly groupGenerationId: number }): Promise<unknown>
  leaveGroup(asked: MemberCall): Promise<unknown>
  offsetCommit(asked: MemberCall & { readonly groupGenerationId: number; readonly topics: readonly { readonly topic: string; readonly partitions: readonly { readonly partition: number; readonly offset: string; readonly metadata: null }[] }[] }): Promise<unknown>
  offsetFetch(asked: { readonly groupId: string; readonly topics: readonly PartitionsOf<{ readonly partition: number }>[] }): Promise<{ readonly responses: readonly PartitionsOf<{ readonly partition: number; readonly offset: string; readonly errorCode?: number }>[] }>
  listOffsets(asked: { readonly isolationLevel: number; readonly topics: readonly PartitionsOf<{ readonly partition: number; readonly timestamp: number }>[] }): Promise<{ readonly responses: readonly PartitionsOf<{ readonly partition: number; readonly offset: string }>[] }>
  deleteRecords(asked: { readonly topics: readonly PartitionsOf<{ readonly partition: number; readonly offset: string }>[] }): Promise<unknown>
  createTopics(asked: { readonly topics: readonly NewTopicCall[]; readonly timeout: number }): Promise<unknown>
  deleteTopics(asked: { readonly topics: readonly string[]; readonly timeout: number }): Promise<unknown>
  createPartitions(asked: { readonly topicPartitions: readonly { readonly topic: string; readonly count: number }[]; readonly timeout: number }): Promise<unknown>
  describeConfigs(asked: { readonly resources: readonly { readonly type: number; readonly name: string }[] }): Promise<{ readonly resources: readonly { readonly configEntries: readonly ConfigEntry[] }[] }>
  alterConfigs(asked: { readonly resources: readonly { readonly type: number; readonly name: string; readonly configEntries: readonly { readonly name: string; readonly value: string }[] }[] }): Promise<unknown>
  listGroups(): Promise<{ readonly groups: readonly { readonly groupId: string; readonly protocolType: string }[] }>
  describeGroups(asked: { readonly groupIds: readonly string[] }): Promise<{ readonly groups: readonly { readonly groupId: string; readonly members: readonly unknown[] }[] }>
  deleteGroups(groups: readonly string[]): Promise<{ readonly results: readonly { readonly groupId: string; readonly errorCode: number }[] }>
}

export interface PartitionsOf<T> {
  readonly topic: string
  readonly partitions: readonly T[]
}

export interface ProducerCall {
  readonly transactionalId: string
  readonly producerId: string
  readonly producerEpoch: number
}

export interface MemberCall {
  readonly groupId: string
  readonly memberId: string
}

export interface JoinCall extends MemberCall {
  readonly sessionTimeout: number
  readonly rebalanceTimeout: number
  readonly groupProtocols: readonly { readonly name: string; readonly metadata: Buffer }[]
}

export interface Joined {
  readonly generationId: number
  readonly leaderId: string
  readonly memberId: string
  readonly groupProtocol: string
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[]
}

export interface NewTopicCall {
  readonly topic: string
  readonly numPartitions: number
  readonly replicationFactor: number
  readonly configEntries: readonly { readonly name: string; readonly value: string }[]
}

export interface ConfigEntry {
  readonly configName: string
  readonly configValue: string | null
  /** 1: set for this topic. */
  readonly configSource?: number
  readonly isDefault?: boolean
}

export interface Metadata {
  readonly brokers: readonly (Place & { readonly nodeId: number })[]
  readonly controllerId: number
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number
    readonly topic: string
    readonly partitionMetadata: readonly { readonly partitionErrorCode: number; readonly partitionId: number; readonly leader: number; readonly replicas: readonly number[] }[]
  }[]
}

/** kafkajs's `socketFactory`. */
export type SocketFactory = (asked: Place & { readonly ssl?: object | boolean | null; readonly onConnect: () => void }) => Socket
