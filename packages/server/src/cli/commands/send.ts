import { Option, type Command } from 'commander'
import { type Client } from '../client.js'
import { type CommonOptions, asking, clientOf, duration, outputOf, positiveNumber, repeated, wholeNumber } from '../common.js'
import { CommandFailure, exitCodes, usage } from '../exit-codes.js'
import { note, printDone, printFields } from '../output.js'
import { startProgress } from '../progress.js'
import { pause, withPauses } from '../pauses.js'
import { type Format, type Found, openSource, readHeaders, readTyped, readValues } from '../reading.js'

interface SendOptions extends CommonOptions {
  readonly file?: string
  readonly format?: Format
  readonly key?: string
  readonly keyField?: string
  readonly header?: readonly string[]
  readonly delay?: number
  readonly at?: string
  readonly id?: string
  readonly partition?: number
  readonly text?: boolean
  readonly batch?: number
  readonly skip?: number
  readonly progress: boolean
}

interface Sent {
  readonly messageId: string
  readonly partition: number
  readonly offset: number | null
}

interface BatchAnswer {
  readonly results: readonly { readonly failure?: { readonly detail: string } }[]
}

/** A batch that is not full is sent after so long without a further line. */
const lingerMs = 100

export function sendCommand(): Command {
  return asking('send', 'Send one message, or one for each line or row of a file')
    .argument('<topic>')
    .argument('[value]', 'JSON, or else a text; without it messages come from --file or standard input')
    .option('-f, --file <path>', 'send each line of a file (- is standard input)')
    .addOption(new Option('--format <format>', 'what a file has; by its ending unless given').choices(['lines', 'jsonl', 'csv']))
    .option('-k, --key <key>', 'messages of one key keep their order')
    .option('--key-field <name>', 'take the key from this field of each value')
    .option('-H, --header <name=value>', 'a header; may be repeated', repeated)
    .option('--delay <time>', 'nobody reads it before that time, such as 500ms, 30s, 15m or 2h', duration)
    .option('--at <time>', 'nobody reads it before then, such as 2030-01-15T10:30:00Z')
    .option('--id <id>', 'the message\'s id; made up unless given')
    .option('-p, --partition <number>', 'in place of the key\'s partition', wholeNumber)
    .option('--text', 'take the value as a text, even if it is JSON')
    .option('--batch <number>', 'messages in one request; 500 unless given', positiveNumber)
    .option('--skip <number>', 'leave out the first messages of a file', wholeNumber)
    .option('--no-progress', 'no progress bar')
    .addHelpText(
      'after',
      `
Examples:
  millrace send hello "good morning"
  millrace send orders '{"id": 7}' --key customer-3 --header source=shop
  millrace send reminders "call back" --delay 15m
  millrace send answers --file answers.csv --key-field userId
  tail -f app.log | millrace send logs --file -`,
    )
    .action(send)
}

async function send(topic: string, value: string | undefined, options: SendOptions): Promise<void> {
  refuseContradictions(value, options)
  await (value === undefined ? sendMany(topic, options) : sendOne(topic, value, options))
}

/** Nothing that was asked for is passed over. */
function refuseContradictions(value: string | undefined, options: SendOptions): void {
  const { file, key, keyField, delay, at, id, text } = options
  if (value === undefined && file === undefined && process.stdin.isTTY) throw usage('give a value, or --file with a path, or pipe lines in')
  if (value !== undefined && file !== undefined) throw usage('give a value or --file, not both')
  if (key !== undefined && keyField !== undefined) throw usage('give --key or --key-field, not both')
  if (delay !== undefined && at !== undefined) throw usage('give --delay or --at, not both')
  if (value === undefined && id !== undefined) throw usage('--id goes with one message, not with a file')
  if (value === undefined && text) throw usage('--text goes with a value: for a file say --format lines')
  const alone = (['format', 'batch', 'skip'] as const).find((name) => value !== undefined && options[name] !== undefined)
  if (alone !== undefined) throw usage(`--${alone} goes with a file, not with one value`)
}

async function sendOne(topicName: string, value: string, options: SendOptions): Promise<void> {
  const { id } = options
  const body = { topicName, ...toMessage(readTyped(value, options.text ?? false), options, 'the value'), ...(id !== undefined && { messageId: id }) }
  const sent = await clientOf(options).post<Sent>('/messages', body)
  printFields(outputOf(options), sent, { sent: sent.messageId, topic: topicName, partition: sent.partition, offset: sent.offset ?? 'held' })
}

async function sendMany(topicName: string, options: SendOptions): Promise<void> {
  const { skip = 0, batch: size = 500 } = options
  const source = openSource(options.file, options.format)
  const progress = await startProgress('messages', source.bytes, options.progress && !options.json)
  const sender = new BatchSender(clientOf(options), topicName, skip)
  let batch: object[] = []
  const flush = async (): Promise<void> => {
    const full = batch
    batch = []
    await sender.send(full)
    progress.update(source.read(), sender.sent)
  }
  try {
    for await (const message of withPauses(messagesOf(readValues(source), options), lingerMs)) {
      if (message !== pause) batch.push(message)
      if (message === pause || batch.length >= size) await flush()
    }
    await flush()
  } catch (error) {
    // What came before a line that cannot be read is good.
    await flush()
    throw sender.withHint(error)
  } finally {
    progress.stop()
  }
  printDone(outputOf(options), { topicName, sent: sender.sent }, `sent ${sender.sent} messages to ${topicName}`)
}

async function* messagesOf(found: AsyncIterable<Found>, options: SendOptions): AsyncGenerator<object> {
  let place = 0
  for await (const { value, line } of found) {
    place += 1
    if (place > (options.skip ?? 0)) yield toMessage(value, options, `line ${line}`)
  }
}

/** Sends batches one after the other, so that the order of a file is the order of its keys. */
class BatchSender {
  readonly #client: Client
  readonly #topicName: string
  readonly #skipped: number
  sent = 0

  constructor(client: Client, topicName: string, skipped: number) {
    this.#client = client
    this.#topicName = topicName
    this.#skipped = skipped
  }

  /** Throws at the first batch with a failure. */
  async send(messages: readonly object[]): Promise<void> {
    if (messages.length === 0) return
    const { results } = await this.#client.post<BatchAnswer>('/messages/batch', { topicName: this.#topicName, messages })
    const failed = results.findIndex(({ failure }) => failure !== undefined)
    if (failed < 0) {
      this.sent += results.length
      return
    }
    this.sent += failed
    const later = results.slice(failed).filter(({ failure }) => failure === undefined).length
    if (later > 0) note(`${later} later messages of the same batch were stored all the same`)
    throw new CommandFailure(exitCodes.failed, `message ${this.#skipped + this.sent + 1} was not sent: ${results[failed]?.failure?.detail ?? ''}`)
  }

  /** Says how to go on after what was sent. */
  withHint(error: unknown): unknown {
    if (this.sent === 0 || !(error instanceof CommandFailure)) return error
    return new CommandFailure(error.exitCode, `${error.message} (${this.sent} were sent before; go on with --skip ${this.#skipped + this.sent})`, { cause: error })
  }
}

function toMessage(value: unknown, { key, keyField, header, delay, at, partition }: SendOptions, place: string): object {
  const ownKey = keyField === undefined ? key : keyFrom(value, keyField, place)
  return {
    value,
    ...(ownKey !== undefined && { key: ownKey }),
    ...(header && { headers: readHeaders(header) }),
    ...(delay !== undefined && { messageType: 'delay', delaySeconds: delay / 1_000 }),
    ...(at !== undefined && { messageType: 'delay', delayUntil: at }),
    ...(partition !== undefined && { partition }),
  }
}

function keyFrom(value: unknown, field: string, place: string): string {
  const key = typeof value === 'object' && value !== null && Object.hasOwn(value, field) ? (value as Record<string, unknown>)[field] : undefined
  if (typeof key === 'string' || typeof key === 'number') return String(key)
  throw new CommandFailure(exitCodes.failed, `${place} has no field ${field} with a text or number in it, as --key-field wants`)
}
