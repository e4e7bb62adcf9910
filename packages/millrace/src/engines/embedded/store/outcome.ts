import { MillraceError } from '../../../core/errors.js'

/** What became of one command among others of a commit. */
export type Outcome = { readonly ok: unknown } | { readonly error: MillraceError }

/** A refusal is the command's own; what else is thrown ends the whole commit. */
export function outcome(run: () => unknown): Outcome {
  try {
    return { ok: run() }
  } catch (error) {
    // What found damage may have done half of its work.
    if (error instanceof MillraceError && error.code !== 'STORE_DAMAGED') return { error }
    throw error
  }
}
