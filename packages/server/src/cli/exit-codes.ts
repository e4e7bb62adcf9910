/** What the command ends with; `millrace --help` lists them. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  notAllowed: 4,
  notFound: 5,
  conflict: 6,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** What a program is told of a failure, beside its words. */
export interface FailureDetail {
  /** The code: of the server where it answered, as docs/errors.md lists them. */
  readonly error?: string
  /** The field or setting that was wrong. */
  readonly field?: string | null
  /** Whether the same command can work later. */
  readonly retryable?: boolean
}

/** Ends the command: one line on standard error and an exit code. */
export class CommandFailure extends Error {
  readonly exitCode: ExitCode
  readonly detail: FailureDetail

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions & { readonly detail?: FailureDetail }) {
    super(message, options)
    this.exitCode = exitCode
    this.detail = options?.detail ?? {}
  }
}

export function usage(message: string): CommandFailure {
  return new CommandFailure(exitCodes.usage, message)
}

export const exitCodeHelp = `
Exit codes:
  0  it worked
  1  it failed, or doctor found something wrong
  2  the command line was wrong
  3  no server answers at the address
  4  the token is missing, unknown, or not allowed to do this
  5  there is no such topic, group or message
  6  it conflicts with what is there, or came too late`
