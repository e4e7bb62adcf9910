import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { type CommonOptions, asking, clientOf, duration, positiveNumber } from '../common.js'
import { usage } from '../exit-codes.js'
import { messageLine } from '../message-line.js'
import { note, printed } from '../output.js'
import { patiently } from '../patience.js'
import { type Beginning, TopicTail, maxRound } from '../topic-tail.js'
import type { ShownMessage } from '../shown.js'
import { untilStopped } from '../stopping.js'

interface TailOptions extends CommonOptions {
  readonly lines: number
  readonly from?: string
  readonly group?: string
  readonly follow?: boolean
  readonly key?: string
  readonly max?: number
  readonly values?: boolean
  readonly interval: number
}

export function tailCommand(): Command {
  return asking('tail', 'Print messages as they come, without consuming them')
    .argument('<topic>')
    .option('-f, --follow', 'go on with what comes, until Ctrl-C')
    .option('-n, --lines <number>', 'begin with the last so many, at most 1000', positiveNumber, 10)
    .option('--from <where>', 'begin at start, end, a time (2030-01-15T10:30:00Z) or so long ago (15m)')
    .option('-g, --group <name>', 'begin with what this group has not finished')
    .option('-k, --key <key>', 'only messages with this key')
    .option('--max <number>', 'stop after so many messages', positiveNumber)
    .option('--values', 'print the value alone')
    .option('--interval <time>', 'how often to look for more', duration, 500)
    .addHelpText(
      'after',
      `
Nothing is taken from any group. With --follow it waits for a server that restarts, and says so on standard error.
With --json each line is one message.

Examples:
  millrace tail orders
  millrace tail orders --follow --key customer-3
  millrace tail orders --from 15m --json | jq .value
  millrace tail orders --group billing --max 5`,
    )
    .action(tail)
}

async function tail(topicName: string, options: TailOptions): Promise<void> {
  const client = clientOf(options)
  const { key } = options
  const stop = untilStopped()
  const topic = new TopicTail({ get: (path, query) => client.get(path, query, stop) }, topicName, { note, fits: (message) => key === undefined || message.key === key })
  const printer = new Printer(options)
  try {
    await printer.print(await topic.begin(beginning(options)))
    while (!stop.aborted && !printer.hasEnough && (options.follow || !topic.isThrough)) {
      const came = await (options.follow ? patiently(() => topic.round(), { everyMs: options.interval, signal: stop }) : topic.round())
      await printer.print(came)
      if (came.length === 0 && options.follow) await sleep(options.interval, undefined, { signal: stop })
    }
  } catch (error) {
    if (!stop.aborted) throw error
  }
}

class Printer {
  readonly #options: TailOptions
  #left: number

  constructor(options: TailOptions) {
    this.#options = options
    this.#left = options.max ?? Number.POSITIVE_INFINITY
  }

  get hasEnough(): boolean {
    return this.#left <= 0
  }

  /** Waits for a slow reader, so that no more than a round is in memory. */
  async print(messages: readonly ShownMessage[]): Promise<void> {
    for (const message of messages) {
      if (this.hasEnough) return
      await printed(this.#options.json ? JSON.stringify(message) : messageLine(message, this.#options))
      this.#left -= 1
    }
  }
}

function beginning({ from, group, lines, key }: TailOptions): Beginning {
  if (group !== undefined && from !== undefined) throw usage('say where to begin by --from or --group, not both')
  if (group !== undefined) return { group }
  if (from === undefined) return { last: Math.min(lines, maxRound), window: key === undefined ? Math.min(lines, maxRound) : maxRound }
  if (from === 'start' || from === 'end') return { at: from }
  if (/^[\d.]+(ms|s|m|h|d)$/.test(from)) return { time: String(Date.now() - duration(from)) }
  if (Number.isNaN(Date.parse(from))) throw usage(`--from ${from} is no place: give start, end, a time such as 2030-01-15T10:30:00Z, or 15m for so long ago`)
  return { time: from }
}
