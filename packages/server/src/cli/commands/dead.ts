import { Command } from 'commander'
import { type Client, part } from '../client.js'
import { type CommonOptions, asking, clientOf, outputOf, positiveNumber } from '../common.js'
import { confirm } from '../confirm.js'
import { usage } from '../exit-codes.js'
import { note, oneLine, printDone, printFields, printTable } from '../output.js'
import { startProgress } from '../progress.js'

interface FilterOptions extends CommonOptions {
  readonly topic?: string
  readonly group?: string
  readonly text?: string
  readonly kind?: string
  readonly key?: string
}

interface SweepOptions extends FilterOptions {
  readonly all?: boolean
  readonly dryRun?: boolean
  readonly rate?: number
  readonly yes?: boolean
  readonly progress: boolean
}

interface DeadLetter {
  readonly id: string
  readonly originalTopicName: string
  readonly originalMessageId: string
  readonly consumerGroupId: string
  readonly failureReason: string
  readonly failureKind: string
  readonly failureStack: string | null
  readonly retryCount: number
  readonly key: string | null
  readonly messageContent: unknown
  readonly failedAt: string
}

interface Page {
  readonly deadLetters: readonly DeadLetter[]
  readonly nextCursor: string | null
}

type Verb = 'retry' | 'purge'

export function deadCommand(): Command {
  const dead = new Command('dead').description('Dead letters: messages that a group gave up on')
  dead.addCommand(
    filtered(asking('list', 'List dead letters'))
      .option('-n, --limit <number>', 'dead letters to show', positiveNumber, 50)
      .option('--cursor <cursor>', 'go on where a page ended')
      .action(list),
    { isDefault: true },
  )
  dead.addCommand(asking('show', 'Show a dead letter whole').argument('<id>').action(show))
  dead.addCommand(sweeping('redrive', 'Send dead letters to their groups again').option('--rate <number>', 'at most so many a second', positiveNumber).action((ids, options) => sweep('retry', ids, options)))
  dead.addCommand(sweeping('purge', 'Clear dead letters away for good').option('--yes', 'do not ask').action((ids, options) => sweep('purge', ids, options)))
  return dead.addHelpText(
    'after',
    '\nExamples:\n  millrace dead list --topic orders\n  millrace dead redrive --topic orders --text timeout --dry-run\n  millrace dead redrive --topic orders --text timeout --rate 100\n  millrace dead purge orders/0/17@billing --yes',
  )
}

function filtered(command: Command): Command {
  return command
    .option('-t, --topic <topic>', 'only of this topic')
    .option('-g, --group <group>', 'only of this group')
    .option('--text <text>', 'only with this text in the reason, key, id or value')
    .option('--kind <kind>', 'only of this kind of error')
    .option('-k, --key <key>', 'only with this key')
}

function sweeping(name: string, description: string): Command {
  return filtered(asking(name, description).argument('[ids...]', 'as `millrace dead list` shows them'))
    .option('--all', 'every dead letter')
    .option('--dry-run', 'count and change nothing')
    .option('--no-progress', 'no progress bar')
}

async function list(options: FilterOptions & { readonly limit: number; readonly cursor?: string }): Promise<void> {
  const page = await clientOf(options).get<Page>('/dead-letters', { ...filterOf(options), limit: options.limit, cursor: options.cursor })
  const rows = page.deadLetters.map((each) => [each.id, each.failedAt, each.retryCount, oneLine(each.failureReason, 50), oneLine(each.messageContent, 50)] as const)
  await printTable(outputOf(options), page, ['id', 'failed', 'attempts', 'reason', 'value'], rows)
  if (page.nextCursor !== null && !options.json) note(`there may be more: add --cursor ${page.nextCursor}`)
}

async function show(id: string, options: CommonOptions): Promise<void> {
  const letter = await clientOf(options).get<DeadLetter>(`/dead-letters/${part(id)}`)
  const { originalTopicName, originalMessageId, consumerGroupId, failureReason, failureKind, failureStack, retryCount, key, messageContent, failedAt } = letter
  printFields(outputOf(options), letter, {
    id,
    topic: originalTopicName,
    group: consumerGroupId,
    message: originalMessageId,
    failed: failedAt,
    attempts: retryCount,
    kind: failureKind,
    reason: failureReason,
    key,
    value: JSON.stringify(messageContent),
  })
  if (!options.json && failureStack !== null) note(failureStack)
}

async function sweep(verb: Verb, ids: readonly string[], options: SweepOptions): Promise<void> {
  const filter = filterOf(options)
  const hasFilter = Object.values(filter).some((value) => value !== undefined)
  if ([ids.length > 0, hasFilter, options.all].filter(Boolean).length !== 1) throw usage('say which: ids, a filter such as --topic, or --all')
  const client = clientOf(options)
  const found = ids.length > 0 ? ids : await findAll(client, filter)
  if (options.dryRun) return printDone(outputOf(options), { matched: found.length, dryRun: true }, `${found.length} dead letters fit; nothing was changed`)
  if (verb === 'purge') await confirm(`clearing ${found.length} dead letters away`, String(found.length), options.yes)
  const done = await decideAll(client, verb, found, options)
  const gone = found.length - done
  printDone(
    outputOf(options),
    { matched: found.length, [verb === 'retry' ? 'retried' : 'purged']: done, gone },
    `${verb === 'retry' ? 'sent' : 'cleared'} ${done} dead letters${verb === 'retry' ? ' again' : ' away'}${gone > 0 ? `; ${gone} were gone before` : ''}`,
  )
}

/** All that fit now: what dies again while this runs is not touched twice. */
async function findAll(client: Client, filter: ReturnType<typeof filterOf>): Promise<readonly string[]> {
  const found: string[] = []
  let cursor: string | undefined
  do {
    const page: Page = await client.get<Page>('/dead-letters', { ...filter, limit: 1_000, cursor })
    found.push(...page.deadLetters.map(({ id }) => id))
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return found
}

/** In slices of about a second, so that the bar moves and Ctrl-C stops it. */
async function decideAll(client: Client, verb: Verb, ids: readonly string[], options: SweepOptions): Promise<number> {
  const progress = await startProgress('dead letters', ids.length, options.progress && !options.json)
  const slice = Math.min(options.rate ?? 500, 500)
  let done = 0
  try {
    for (let at = 0; at < ids.length; at += slice) {
      const pace = options.rate === undefined ? {} : { ratePerSecond: options.rate }
      const answer = await client.post<{ readonly retried?: number; readonly purged?: number }>(`/dead-letters/${verb}`, { ids: ids.slice(at, at + slice), ...(verb === 'retry' && pace) })
      done += answer.retried ?? answer.purged ?? 0
      progress.update(Math.min(at + slice, ids.length), done)
    }
  } finally {
    progress.stop()
  }
  return done
}

function filterOf({ topic, group, text, kind, key }: FilterOptions) {
  return { originalTopicName: topic, consumerGroupId: group, text, failureKind: kind, key }
}
