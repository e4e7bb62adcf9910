import { Option, type Command } from 'commander'
import { type Client } from '../client.js'
import { type CommonOptions, asking, clientOf, duration, outputOf, positiveNumber, repeated, wholeNumber } from '../common.js'
import { CommandFailure, exitCodes, usage } from '../exit-codes.js'
import { note, printDone, printFields } from '../output.js'
import { startProgress } from '../progress.js'
import { pause, withPauses } from '../pauses.js'
import { type Format, openSource, readHeaders, readTyped, readValues } from '../reading.js'

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
  readonly batch: number
  readonly skip: number
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
    .option('--batch <number>', 'messages in one request', positiveNumber, 500)
    .option('--skip <number>', 'leave out the first messages of a file', wholeNumber, 0)
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
  if (value !== undefined && options.file !== undefined) throw usage('give a value or --file, not both')
  if (value === undefined && options.file === undefined && process.stdin.isTTY) throw usage('give a value, or --file with a path, or pipe lines in')
  await (value === undefined ? sendMany(topic, options) : sendOne(topic, value, options))
}

async function sendOne(topicName: string, value: string, options: SendOptions): Promise<void> {
  if (options.keyField !== undefined && options.key !== undefined) throw usage('give --key or --key-field, not both')
  const { id } = options
  const body = { topicName, ...toMessage(readTyped(value, options.text ?? false), options), ...(id !== undefined && { messageId: id }) }
  const sent = await clientOf(options).post<Sent>('/messages', body)
  printFields(outputOf(options), sent, { sent: sent.messageId, topic: topicName, partition: sent.partition, offset: sent.offset ?? 'held' })
}

async function sendMany(topicName: string, options: SendOptions): Promise<void> {
  if (options.id !== undefined) throw usage('--id goes with one message, not with a file')
  const source = openSource(options.file, options.format)
  const progress = await startProgress('messages', source.bytes, options.progress && !options.json)
  const sender = new BatchSender(clientOf(options), topicName)
  let place = 0
  let batch: object[] = []
  const flush = async (): Promise<void> => {
    await sender.send(batch, options.skip)
    batch = []
    progress.update(source.read(), sender.sent)
  }
  try {
    for await (const value of withPauses(readValues(source), lingerMs)) {
      if (value === pause) {
        await flush()
        continue
      }
      place += 1
      if (place <= options.skip) continue
      batch.push(toMessage(value, options))
      if (batch.length >= options.batch) await flush()
    }
    await flush()
  } finally {
    progress.stop()
  }
  printDone(outputOf(options), { topicName, sent: sender.sent }, `sent ${sender.sent} messages to ${topicName}`)
}

/** Sends batches one after the other, so that the order of a file is the order of its keys. */
class BatchSender {
  readonly #client: Client
  readonly #topicName: string
  sent = 0

  constructor(client: Client, topicName: string) {
    this.#client = client
    this.#topicName = topicName
  }

  /** Throws at the first batch with a failure, saying how to go on after it. */
  async send(messages: readonly object[], skipped: number): Promise<void> {
    if (messages.length === 0) return
    const { results } = await this.#post(messages, skipped)
    const failed = results.findIndex(({ failure }) => failure !== undefined)
    const good = results.filter(({ failure }) => failure === undefined).length
    if (failed < 0) {
      this.sent += good
      return
    }
    const detail = results[failed]?.failure?.detail ?? ''
    const place = skipped + this.sent + failed + 1
    this.sent += good
    if (good > failed) note(`${good - failed} later messages of the same batch were stored all the same`)
    throw new CommandFailure(exitCodes.failed, `message ${place} was not sent: ${detail} (${this.sent} were; go on from there with --skip ${place - 1})`)
  }

  async #post(messages: readonly object[], skipped: number): Promise<BatchAnswer> {
    try {
      return await this.#client.post<BatchAnswer>('/messages/batch', { topicName: this.#topicName, messages })
    } catch (error) {
      const done = skipped + this.sent
      if (done > 0 && error instanceof CommandFailure) throw new CommandFailure(error.exitCode, `${error.message} (${this.sent} were sent; go on with --skip ${done})`, { cause: error })
      throw error
    }
  }
}

function toMessage(value: unknown, { key, keyField, header, delay, at, partition }: SendOptions): object {
  const ownKey = keyField === undefined ? key : keyFrom(value, keyField)
  return {
    value,
    ...(ownKey !== undefined && { key: ownKey }),
    ...(header && { headers: readHeaders(header) }),
    ...(delay !== undefined && { messageType: 'delay', delaySeconds: delay / 1_000 }),
    ...(at !== undefined && { messageType: 'delay', delayUntil: at }),
    ...(partition !== undefined && { partition }),
  }
}

function keyFrom(value: unknown, field: string): string {
  const key = typeof value === 'object' && value !== null && Object.hasOwn(value, field) ? (value as Record<string, unknown>)[field] : undefined
  if (typeof key === 'string' || typeof key === 'number') return String(key)
  throw usage(`a value has no field ${field} with a text or number in it, as --key-field wants`)
}
