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

/** Ends the command: one line on standard error and an exit code. */
export class CommandFailure extends Error {
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}

export function usage(message: string): CommandFailure {
  return new CommandFailure(exitCodes.usage, message)
}

export const exitCodeHelp = `
Exit codes:
  0  it worked
  1  it failed
  2  the command line was wrong
  3  no server answers at the address
  4  the token is missing, unknown, or not allowed to do this
  5  there is no such topic, group or message
  6  it conflicts with what is there, or came too late`
