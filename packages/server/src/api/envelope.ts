import Type, { type Static, type TSchema } from 'typebox'

/** What every answer under /api/v1/mq looks like. */
export function envelope<S extends TSchema>(data: S) {
  return Type.Object({ code: Type.Integer(), message: Type.String(), data })
}

/** `T` or null, as a list of JSON types: cheaper to write than a union. */
export function nullable<S extends TSchema & { type: string }>(schema: S) {
  return Type.Unsafe<Static<S> | null>({ ...schema, type: [schema.type, 'null'] })
}

/** The `data` of an answer that is an error. */
export const ErrorData = Type.Object({
  error: Type.String({ description: 'The code, as docs/errors.md lists them.' }),
  field: nullable(Type.String({ description: 'The field or setting that was wrong.' })),
  detail: Type.String({ description: 'What went wrong and what to do, in English.' }),
  retryable: Type.Boolean({ description: 'Whether trying the same call again can help.' }),
  problems: Type.Optional(Type.Array(Type.Object({ field: Type.String(), message: Type.String() }))),
  results: Type.Optional(Type.Array(Type.Unknown())),
})
export type ErrorData = Static<typeof ErrorData>
