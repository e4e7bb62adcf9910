#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { isMillraceError } from 'millrace'
import { benchCommand } from './commands/bench.js'
import { consumeCommand } from './commands/consume.js'
import { deadCommand } from './commands/dead.js'
import { doctorCommand } from './commands/doctor.js'
import { groupsCommand } from './commands/groups.js'
import { heldCommand } from './commands/held.js'
import { peekCommand } from './commands/peek.js'
import { sendCommand } from './commands/send.js'
import { serveCommand } from './commands/serve.js'
import { tailCommand } from './commands/tail.js'
import { topCommand } from './commands/top.js'
import { topicsCommand } from './commands/topics.js'
import { CommandFailure, exitCodeHelp, exitCodes } from './exit-codes.js'

/** Known before the command line is understood, because what is wrong with it is told in JSON too. */
const wantsJson = process.argv.slice(2, process.argv.includes('--') ? process.argv.indexOf('--') : undefined).includes('--json')

// What a command needs beyond the command line itself is loaded when it runs, so that --help is quick.
const commands = [serveCommand, sendCommand, consumeCommand, peekCommand, tailCommand, topCommand, topicsCommand, groupsCommand, heldCommand, deadCommand, doctorCommand, benchCommand]

function program(): Command {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  const millrace = new Command('millrace')
    .description('A message queue that keeps its promises: run a server, and work with one.')
    .version(version)
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      `
Environment:
  MILLRACE_URL    address of the server, http://127.0.0.1:7420 unless set
  MILLRACE_TOKEN  token for a server with access control
${exitCodeHelp}

Examples:
  millrace serve
  millrace send hello "good morning"
  millrace consume hello
  millrace topics list --json`,
    )
  for (const command of commands) millrace.addCommand(command())
  throwErrors(millrace)
  return millrace
}

/** Commander ends the process with 1 for a wrong command line; ours is 2. */
function throwErrors(command: Command): void {
  command.exitOverride()
  if (wantsJson) command.configureOutput({ outputError: () => undefined })
  for (const inner of command.commands) throwErrors(inner)
}

async function main(): Promise<void> {
  // Who writes hears of it too, and still hands back what it holds.
  process.stdout.on('error', (error) => {
    if (!isPipeClosed(error)) process.exit(exitCodes.failed)
  })
  try {
    await program().parseAsync()
  } catch (error) {
    process.exitCode = ending(error)
  }
}

function ending(error: unknown): number {
  if (isPipeClosed(error)) return exitCodes.ok
  if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok
  const exitCode = error instanceof CommandFailure ? error.exitCode : error instanceof CommanderError ? exitCodes.usage : exitCodes.failed
  if (wantsJson) process.stderr.write(`${JSON.stringify(toldOf(error, exitCode))}\n`)
  // A wrong command line Commander has told.
  else if (!(error instanceof CommanderError)) process.stderr.write(`millrace: ${messageOf(error)}\n`)
  return exitCode
}

function toldOf(error: unknown, exitCode: number): object {
  const known = error instanceof CommandFailure ? error.detail : isMillraceError(error) ? { error: error.code, field: error.field, retryable: error.retryable } : {}
  const { error: code = exitCode === exitCodes.usage ? 'USAGE' : 'FAILED', field = null, retryable = false } = known
  return { error: code, message: messageOf(error).replace(/^error: /, ''), field, retryable, exitCode }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** A reader that has enough, as `head` has, is no error. */
function isPipeClosed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE'
}

await main()
