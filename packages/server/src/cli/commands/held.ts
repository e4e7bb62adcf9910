import { Command, Option } from 'commander'
import { type CommonOptions, asking, clientOf, outputOf, positiveNumber } from '../common.js'
import { note, oneLine, printDone, printTable } from '../output.js'
import type { ShownHeld } from '../shown.js'

interface ListOptions extends CommonOptions {
  readonly topic?: string
  readonly group?: string
  readonly why?: string
  readonly limit: number
  readonly cursor?: string
}

interface Listed {
  readonly held: readonly ShownHeld[]
  readonly nextCursor: string | null
}

export function heldCommand(): Command {
  const held = new Command('held').description('Messages that nobody may read yet: delayed, retried, prepared, lent')
  held.addCommand(
    asking('list', 'List held messages')
      .option('-t, --topic <topic>', 'only of this topic')
      .option('-g, --group <group>', 'only of this group')
      .addOption(new Option('--why <reason>').choices(['delay', 'retry', 'prepared', 'dead', 'lent']))
      .option('-n, --limit <number>', 'messages to show', positiveNumber, 50)
      .option('--cursor <cursor>', 'go on where a page ended')
      .action(list),
    { isDefault: true },
  )
  held.addCommand(deciding('cancel', 'Drop held messages for good'))
  held.addCommand(deciding('release', 'Let held messages be read now'))
  return held.addHelpText('after', '\nExamples:\n  millrace held list --why delay\n  millrace held cancel reminders:7f3a')
}

async function list(options: ListOptions): Promise<void> {
  const { topic: topicName, group: groupId, why, limit, cursor } = options
  const page = await clientOf(options).get<Listed>('/held', { topicName, groupId, why, limit, cursor })
  const rows = page.held.map((each) => [each.id, each.why, each.until ?? 'decided', each.groupId, each.attempt, oneLine(each.message.value, 60)] as const)
  await printTable(outputOf(options), page, ['id', 'why', 'until', 'group', 'attempt', 'value'], rows)
  if (page.nextCursor !== null && !options.json) note(`there may be more: add --cursor ${page.nextCursor}`)
}

function deciding(verb: 'cancel' | 'release', description: string): Command {
  return asking(verb, description)
    .argument('<ids...>', 'as `millrace held list` shows them')
    .action(async (ids: readonly string[], options: CommonOptions) => {
      const data = await clientOf(options).post<{ readonly done: number; readonly gone: number }>(`/held/${verb}`, { ids })
      const gone = data.gone > 0 ? `, ${data.gone} were gone before` : ''
      printDone(outputOf(options), data, `${verb === 'cancel' ? 'cancelled' : 'released'} ${data.done}${gone}`)
    })
}
