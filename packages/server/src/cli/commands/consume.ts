import { Option, type Command } from 'commander'
import { type Client } from '../client.js'
import { type CommonOptions, asking, clientOf, duration, positiveNumber } from '../common.js'
import { messageLine } from '../message-line.js'
import { note, printed } from '../output.js'
import type { ShownMessage } from '../shown.js'
import { untilStopped } from '../stopping.js'

interface ConsumeOptions extends CommonOptions {
  readonly group: string
  readonly max?: number
  readonly exit?: boolean
  readonly values?: boolean
  readonly from: 'start' | 'end'
  readonly lease: number
  readonly batch: number
}

interface Pulled {
  readonly messages: readonly { readonly token: string; readonly attempt: number; readonly message: ShownMessage }[]
}

const waitMs = 15_000

export function consumeCommand(): Command {
  return asking('consume', 'Print messages as a member of a group, and finish each once it is printed')
    .argument('<topic>')
    .option('-g, --group <name>', 'the group; each message goes to one member of it', 'cli')
    .option('-n, --max <number>', 'stop after so many messages', positiveNumber)
    .option('-e, --exit', 'stop when there is nothing more')
    .option('--values', 'print the value alone')
    .addOption(new Option('--from <where>', 'where a new group starts').choices(['start', 'end']).default('start'))
    .option('--lease <time>', 'how long printing may take before others get the message', duration, 30_000)
    .option('--batch <number>', 'messages in one request', positiveNumber, 100)
    .addHelpText(
      'after',
      `
Goes on until Ctrl-C unless --max or --exit is given. With --json each line is one message.

Examples:
  millrace consume hello
  millrace consume orders --group billing --max 10
  millrace consume orders --exit --json | jq .value`,
    )
    .action(consume)
}

async function consume(topicName: string, options: ConsumeOptions): Promise<void> {
  const client = clientOf(options)
  const stop = untilStopped()
  let left = options.max ?? Number.POSITIVE_INFINITY
  while (left > 0 && !stop.aborted) {
    const { messages } = await pull(client, topicName, options, left, stop)
    if (messages.length === 0 && options.exit) return
    left -= await showAll(client, messages, options, stop)
  }
}

/** Prints them until somebody stops it. What is printed is finished, even then; the rest goes back at once. */
async function showAll(client: Client, messages: Pulled['messages'], options: ConsumeOptions, signal: AbortSignal): Promise<number> {
  let shown = 0
  try {
    for (const { attempt, message } of messages) {
      if (signal.aborted) break
      // What was not printed is not finished.
      await printed(line(message, attempt, options))
      shown += 1
    }
  } finally {
    const tokens = messages.map(({ token }) => token)
    await answer(client, '/ack', { tokens: tokens.slice(0, shown) })
    await answer(client, '/nack', { tokens: tokens.slice(shown), counted: false })
  }
  return shown
}

async function answer(client: Client, path: string, body: { readonly tokens: readonly string[]; readonly counted?: false }): Promise<void> {
  const { tokens } = body
  if (tokens.length === 0) return
  await client.post(path, body).catch((error: unknown) => {
    note(`${tokens.length} messages will come again: ${error instanceof Error ? error.message : String(error)}`)
  })
}

async function pull(client: Client, topicName: string, options: ConsumeOptions, left: number, signal: AbortSignal): Promise<Pulled> {
  const body = { topicName, groupId: options.group, max: Math.min(options.batch, left), waitMs: options.exit ? 1_000 : waitMs, leaseMs: options.lease, from: options.from }
  try {
    return await client.post<Pulled>('/pull', body, signal)
  } catch (error) {
    if (signal.aborted) return { messages: [] }
    throw error
  }
}

function line(message: ShownMessage, attempt: number, options: ConsumeOptions): string {
  if (options.json) return JSON.stringify({ ...message, attempt })
  const again = attempt > 1 && !options.values ? `  (attempt ${attempt})` : ''
  return `${messageLine(message, options)}${again}`
}
