export type GlideRoute = { readonly type: 'primarySlotKey'; readonly key: string } | { readonly type: 'routeByAddress'; readonly host: string; readonly port: number } | 'randomNode'

export interface GlideCommandOptions {
  /** 0: bytes. */
  readonly decoder: 0
  /** Of a cluster. */
  readonly route?: GlideRoute
}

export interface GlideConfig {
  readonly requestTimeout?: number
  readonly readFrom?: string
}

/** What we call on a client of GLIDE, alone or of a cluster. */
export interface GlideClient {
  readonly isClosed: boolean
  /** What it was made with: a second one is made with the same. */
  readonly config: GlideConfig
  customCommand(args: readonly (string | Buffer)[], options: GlideCommandOptions): Promise<unknown>
  subscribe(channels: ReadonlySet<string>, timeoutMs: number): Promise<void>
  unsubscribe(channels: ReadonlySet<string>, timeoutMs: number): Promise<void>
  /** Of a cluster. */
  ssubscribe?(channels: ReadonlySet<string>, timeoutMs: number): Promise<void>
  sunsubscribe?(channels: ReadonlySet<string>, timeoutMs: number): Promise<void>
  close(): void
}

export interface GlideMaker {
  createClient(config: object): Promise<GlideClient>
}

/** What is heard. */
export interface GlideMessage {
  readonly message: string | Buffer
  readonly channel: string | Buffer
}
