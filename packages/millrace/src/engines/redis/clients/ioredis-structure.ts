/** What we call on a connection of ioredis or iovalkey. */
export interface IoredisNode {
  readonly status: string
  /** The socket, once it is connected. */
  readonly stream?: { cork(): void; uncork(): void }
  readonly options: {
    readonly host?: string | undefined
    readonly port?: number | undefined
    readonly path?: string | null | undefined
    readonly key?: string
    readonly keyPrefix?: string
    readonly stringNumbers?: boolean
    readonly role?: string
  }
  callBuffer(name: string, args: readonly (string | Buffer | number)[]): Promise<unknown>
  duplicate(override?: object): IoredisNode
  subscribe(...channels: string[]): Promise<unknown>
  unsubscribe(...channels: string[]): Promise<unknown>
  ssubscribe?(...channels: string[]): Promise<unknown>
  sunsubscribe?(...channels: string[]): Promise<unknown>
  on(event: string, call: (...args: never[]) => void): unknown
  off(event: string, call: (...args: never[]) => void): unknown
  disconnect(reconnect?: boolean): void
}

export interface IoredisCluster {
  readonly isCluster: true
  readonly status: string
  readonly options: { readonly keyPrefix?: string; readonly scaleReads?: unknown; readonly redisOptions?: { readonly keyPrefix?: string; readonly stringNumbers?: boolean } }
  /** The addresses of each slot, the one that takes writes first. */
  readonly slots: readonly (readonly string[] | undefined)[]
  nodes(role: 'master' | 'all'): readonly IoredisNode[]
  callBuffer(name: string, args: readonly (string | Buffer | number)[]): Promise<unknown>
  duplicate(nodes?: readonly never[], override?: object): IoredisCluster
  subscribe(...channels: string[]): Promise<unknown>
  unsubscribe(...channels: string[]): Promise<unknown>
  on(event: string, call: (...args: never[]) => void): unknown
  off(event: string, call: (...args: never[]) => void): unknown
  disconnect(reconnect?: boolean): void
}
