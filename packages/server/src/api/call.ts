import type { Static, TObject, TSchema } from 'typebox'
import type { Caller, Role } from '../access/tokens.js'
import type { Saying } from './words.js'

/** What a call is given: parts of the request, checked against its schemas. */
export interface Input<Body, Query, Params> {
  readonly body: Body
  readonly query: Query
  readonly params: Params
  /** Who asks; absent on an open call and on a server without tokens. */
  readonly caller: Caller | undefined
  /** Aborts when the client is gone before its answer. */
  gone(): AbortSignal
}

interface Words {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below /api/v1/mq; parameters as `{name}`. */
  readonly path: string
  /** Who may: nothing is reachable that does not say. */
  readonly role: Role
  readonly says: Saying
  readonly tag: 'messages' | 'topics' | 'consumers' | 'groups' | 'held' | 'dead letters' | 'monitoring'
  readonly summary: string
}

interface Schemas<Body extends TSchema, Query extends TObject, Params extends TObject, Data extends TSchema> {
  readonly body?: Body
  readonly query?: Query
  readonly params?: Params
  readonly data: Data
}

type Definition<Body extends TSchema, Query extends TObject, Params extends TObject, Data extends TSchema> = Words &
  Schemas<Body, Query, Params, Data> & {
    readonly answer: (input: Input<Static<Body>, Static<Query>, Static<Params>>) => Promise<Static<Data>>
  }

/** One line of the route table: everything about a call that routing, access, checks and the OpenAPI document need. */
export interface Call extends Words, Schemas<TSchema, TObject, TObject, TSchema> {
  readonly answer: (input: Input<unknown, unknown, unknown>) => Promise<unknown>
}

/** Writes a call down with the types of its schemas. */
export function call<Body extends TSchema, Query extends TObject, Params extends TObject, Data extends TSchema>(definition: Definition<Body, Query, Params, Data>): Call {
  // The one place that forgets the types: what `answer` is given was checked against these very schemas.
  return definition as unknown as Call
}
