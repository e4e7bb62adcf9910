import { Command, Option } from 'commander'
import { part } from '../client.js'
import { type CommonOptions, asking, clientOf, duration, outputOf, positiveNumber, wholeNumber } from '../common.js'
import { confirm } from '../confirm.js'
import { usage } from '../exit-codes.js'
import { printDone, printFields, printTable } from '../output.js'
import type { ShownGroup, ShownTopic } from '../shown.js'

interface SettingOptions extends CommonOptions {
  readonly description?: string
  readonly partitions?: number
  readonly retention?: number | 'forever'
  readonly maxMessageSize?: number
  readonly maxMessages?: number
  readonly whenFull?: string
  readonly durability?: string
}

interface Described extends ShownTopic {
  readonly published: number
  readonly messages: number
  readonly bytes: number
  readonly delayed: number
  readonly groups: readonly ShownGroup[]
}

export function topicsCommand(): Command {
  const topics = new Command('topics').description('List, create, change and delete topics')
  topics.addCommand(asking('list', 'List topics').action(list), { isDefault: true })
  topics.addCommand(withSettings(asking('create', 'Create a topic').argument('<name>')).action(create))
  topics.addCommand(withSettings(asking('alter', 'Change a topic; what is left out stays').argument('<name>')).action(alter))
  topics.addCommand(asking('describe', 'Show a topic with its counts and groups').argument('<name>').action(describe))
  topics.addCommand(asking('delete', 'Delete a topic with its messages and groups').argument('<name>').option('--yes', 'do not ask').action(remove))
  topics.addCommand(pausing('pause', 'Stop deliveries of a topic; sending goes on'))
  topics.addCommand(pausing('resume', 'Go on with deliveries of a topic'))
  return topics.addHelpText('after', '\nExamples:\n  millrace topics create orders --partitions 8 --retention 7d\n  millrace topics describe orders\n  millrace topics list --json')
}

function withSettings(command: Command): Command {
  return command
    .option('--description <text>')
    .option('--partitions <number>', 'may grow later, never shrink', positiveNumber)
    .option('--retention <time>', 'how long read messages are kept, such as 12h or 7d, or forever', (text) => (text === 'forever' ? text : duration(text)))
    .option('--max-message-size <bytes>', 'of one message', positiveNumber)
    .option('--max-messages <number>', 'bound on unread messages; 0 is none', wholeNumber)
    .addOption(new Option('--when-full <what>', 'at the bound: refuse new messages or trim old ones').choices(['refuse', 'trim']))
    .addOption(new Option('--durability <level>', 'what a sent message survives: os a killed process, fsync a power loss').choices(['memory', 'os', 'fsync']))
}

function settings({ description, partitions, retention, maxMessageSize, maxMessages, whenFull, durability }: SettingOptions): object {
  return { description, partitions, retentionMs: retention === 'forever' ? -1 : retention, maxMessageSize, maxMessages, whenFull, durability }
}

async function list(options: CommonOptions): Promise<void> {
  const data = await clientOf(options).get<{ readonly topics: readonly ShownTopic[] }>('/topics')
  const rows = data.topics.map((each) => [each.name, each.partitions, each.status, hours(each), each.createdAt] as const)
  await printTable(outputOf(options), data, ['name', 'partitions', 'status', 'retention', 'created'], rows)
}

async function create(name: string, options: SettingOptions): Promise<void> {
  const data = await clientOf(options).post('/topics', { name, ...settings(options) })
  printDone(outputOf(options), data, `created topic ${name}`)
}

async function alter(name: string, options: SettingOptions): Promise<void> {
  const change = settings(options)
  if (Object.values(change).every((value) => value === undefined)) throw usage('say what to change, such as --partitions 8 or --retention 7d')
  const data = await clientOf(options).put(`/topics/${part(name)}`, change)
  printDone(outputOf(options), data, `changed topic ${name}`)
}

async function describe(name: string, options: CommonOptions): Promise<void> {
  const topic = await clientOf(options).get<Described>(`/topics/${part(name)}`)
  const { id, description, partitions, status, maxMessageSize, published, messages, bytes, delayed, createdAt } = topic
  printFields(outputOf(options), topic, { name, id, description, status, partitions, retention: hours(topic), 'max message size': maxMessageSize, published, messages, bytes, delayed, created: createdAt })
  if (options.json) return
  const rows = topic.groups.map((each) => [each.groupId, each.consumerCount, each.lag, each.dead, each.status] as const)
  await printTable({ json: false }, topic, ['group', 'members', 'lag', 'dead', 'status'], rows)
}

async function remove(name: string, options: CommonOptions & { readonly yes?: boolean }): Promise<void> {
  await confirm(`deleting topic ${name} with its messages`, name, options.yes)
  const data = await clientOf(options).delete(`/topics/${part(name)}`)
  printDone(outputOf(options), data, `deleted topic ${name}`)
}

function pausing(verb: 'pause' | 'resume', description: string): Command {
  return asking(verb, description)
    .argument('<name>')
    .action(async (name: string, options: CommonOptions) => {
      const data = await clientOf(options).post(`/topics/${part(name)}/${verb}`)
      printDone(outputOf(options), data, `${verb}d topic ${name}`)
    })
}

function hours({ retentionMs }: ShownTopic): string {
  return retentionMs < 0 ? 'forever' : `${Math.round((retentionMs / 3_600_000) * 100) / 100}h`
}
