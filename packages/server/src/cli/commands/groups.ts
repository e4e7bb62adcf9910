import { Command, Option } from 'commander'
import { part } from '../client.js'
import { type CommonOptions, asking, clientOf, outputOf, wholeNumber } from '../common.js'
import { confirm } from '../confirm.js'
import { usage } from '../exit-codes.js'
import { printDone, printTable } from '../output.js'
import type { ShownGroup } from '../shown.js'

interface SeekOptions extends CommonOptions {
  readonly to?: string
  readonly offset?: string
  readonly time?: string
  readonly partition?: number
}

interface Position {
  readonly partition: number
  readonly watermark: string
  readonly end: string
  readonly lag: number
  readonly owner: string | null
}

export function groupsCommand(): Command {
  const groups = new Command('groups').description('List consumer groups, and move, pause or delete them')
  groups.addCommand(asking('list', 'List groups of all topics, or of one').argument('[topic]').action(list), { isDefault: true })
  groups.addCommand(onGroup('positions', 'Show where a group stands in each partition').action(positions))
  groups.addCommand(
    onGroup('seek', 'Move a group: what it read before is read again, what it passes over is not read')
      .addOption(new Option('--to <where>').choices(['start', 'end']))
      .option('--offset <offset>')
      .option('--time <time>', 'such as 2030-01-15T10:30:00Z')
      .option('-p, --partition <number>', 'only this partition', wholeNumber)
      .action(seek),
  )
  groups.addCommand(pausing('pause', 'Stop deliveries to a group'))
  groups.addCommand(pausing('resume', 'Go on with deliveries to a group'))
  groups.addCommand(onGroup('delete', 'Delete a group with its retries and dead letters').option('--yes', 'do not ask').action(remove))
  return groups.addHelpText('after', '\nExamples:\n  millrace groups list orders\n  millrace groups seek orders billing --to start\n  millrace groups seek orders billing --time 2030-01-15T10:30:00Z')
}

function onGroup(name: string, description: string): Command {
  return asking(name, description).argument('<topic>').argument('<group>')
}

async function list(topicName: string | undefined, options: CommonOptions): Promise<void> {
  const data = await clientOf(options).get<{ readonly groups: readonly ShownGroup[] }>('/groups', { topicName })
  const rows = data.groups.map((each) => [each.topicName, each.groupId, each.consumerCount, each.lag, each.retrying, each.lent, each.dead, each.paused ? 'paused' : each.status] as const)
  await printTable(outputOf(options), data, ['topic', 'group', 'members', 'lag', 'retrying', 'lent', 'dead', 'status'], rows)
}

async function positions(topic: string, group: string, options: CommonOptions): Promise<void> {
  const data = await clientOf(options).get<{ readonly positions: readonly Position[] }>(`${path(topic, group)}/positions`)
  const rows = data.positions.map((each) => [each.partition, each.watermark, each.end, each.lag, each.owner] as const)
  await printTable(outputOf(options), data, ['partition', 'position', 'end', 'lag', 'owner'], rows)
}

async function seek(topic: string, group: string, options: SeekOptions): Promise<void> {
  const { to, offset, time, partition } = options
  if ([to, offset, time].filter((each) => each !== undefined).length !== 1) throw usage('say where: one of --to, --offset and --time')
  const data = await clientOf(options).post(`${path(topic, group)}/seek`, { to, offset, time, partition })
  printDone(outputOf(options), data, `moved group ${group} of ${topic} to ${to ?? offset ?? time}`)
}

async function remove(topic: string, group: string, options: CommonOptions & { readonly yes?: boolean }): Promise<void> {
  await confirm(`deleting group ${group} of ${topic}`, group, options.yes)
  const data = await clientOf(options).delete(path(topic, group))
  printDone(outputOf(options), data, `deleted group ${group} of ${topic}`)
}

function pausing(verb: 'pause' | 'resume', description: string): Command {
  return onGroup(verb, description).action(async (topic: string, group: string, options: CommonOptions) => {
    const data = await clientOf(options).post(`${path(topic, group)}/${verb}`)
    printDone(outputOf(options), data, `${verb}d group ${group} of ${topic}`)
  })
}

function path(topic: string, group: string): string {
  return `/topics/${part(topic)}/groups/${part(group)}`
}
