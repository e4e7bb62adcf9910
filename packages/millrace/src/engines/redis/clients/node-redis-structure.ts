/** What a node-redis client makes of the server's types: the type's first byte, and a class. */
export type TypeMapping = Readonly<Record<number, unknown>>

export interface NodeRedisCommandOptions {
  readonly typeMapping?: TypeMapping
}

/** What we call on a client of node-redis 5 or newer. */
export interface NodeRedisClient {
  readonly isOpen: boolean
  readonly isReady: boolean
  readonly options?: { readonly disableOfflineQueue?: boolean } | undefined
  connect(): Promise<unknown>
  destroy(): void
  duplicate(override?: object): NodeRedisClient
  sendCommand(args: readonly (string | Buffer)[], options?: NodeRedisCommandOptions): Promise<unknown>
  subscribe(channels: readonly string[], listener: (message: string, channel: string) => unknown): Promise<unknown>
  unsubscribe(channels: readonly string[]): Promise<unknown>
  sSubscribe(channels: readonly string[], listener: (message: string, channel: string) => unknown): Promise<unknown>
  sUnsubscribe(channels: readonly string[]): Promise<unknown>
  on(event: string, call: (...args: never[]) => void): unknown
}

export interface NodeRedisShard {
  readonly master: { readonly address: string }
}

export interface NodeRedisCluster {
  readonly isOpen: boolean
  readonly slots: readonly (NodeRedisShard | undefined)[]
  readonly masters: readonly { readonly address: string }[]
  nodeClient(node: { readonly address: string }): NodeRedisClient | Promise<NodeRedisClient>
  connect(): Promise<unknown>
  destroy(): void
  duplicate(override?: object): NodeRedisCluster
  sendCommand(firstKey: string | undefined, isReadonly: boolean | undefined, args: readonly (string | Buffer)[], options?: NodeRedisCommandOptions): Promise<unknown>
  on(event: string, call: (...args: never[]) => void): unknown
}

export interface NodeRedisSentinel {
  readonly isOpen: boolean
  getMasterNode(): unknown
  connect(): Promise<unknown>
  destroy(): unknown
  /** Since 6. */
  duplicate?(override?: object): NodeRedisSentinel
  sendCommand(isReadonly: boolean | undefined, args: readonly (string | Buffer)[], options?: NodeRedisCommandOptions): Promise<unknown>
  subscribe(channels: readonly string[], listener: (message: string, channel: string) => unknown): Promise<unknown>
  unsubscribe(channels: readonly string[], listener: (message: string, channel: string) => unknown): Promise<unknown>
  on(event: string, call: (...args: never[]) => void): unknown
}
