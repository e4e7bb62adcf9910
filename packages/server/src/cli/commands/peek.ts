import { Option, type Command } from 'commander'
import { part } from '../client.js'
import { type CommonOptions, asking, clientOf, outputOf, positiveNumber, wholeNumber } from '../common.js'
import { note, oneLine, printTable } from '../output.js'
import type { ShownMessage } from '../shown.js'

interface PeekOptions extends CommonOptions {
  readonly partition?: number
  readonly from?: string
  readonly offset?: string
  readonly time?: string
  readonly limit: number
  readonly cursor?: string
}

interface Peeked {
  readonly messages: readonly ShownMessage[]
  readonly nextCursor: string | null
}

export function peekCommand(): Command {
  return asking('peek', 'Show messages without consuming them')
    .argument('<topic>')
    .option('-p, --partition <number>', 'only this partition', wholeNumber)
    .addOption(new Option('--from <where>', 'where to begin').choices(['start', 'end']))
    .option('--offset <offset>', 'begin at this offset')
    .option('--time <time>', 'begin at this time, such as 2030-01-15T10:30:00Z')
    .option('-n, --limit <number>', 'messages to show', positiveNumber, 20)
    .option('--cursor <cursor>', 'go on where a page ended')
    .addHelpText('after', '\nExamples:\n  millrace peek hello\n  millrace peek orders --partition 2 --offset 100 --json')
    .action(peek)
}

async function peek(topic: string, options: PeekOptions): Promise<void> {
  const { partition, from, offset, time, limit, cursor } = options
  const page = await clientOf(options).get<Peeked>(`/topics/${part(topic)}/messages`, { partition, from, offset, time, limit, cursor })
  const rows = page.messages.map((each) => [each.partition, each.offset, each.timestamp, each.key, oneLine(each.value, 80)] as const)
  await printTable(outputOf(options), page, ['partition', 'offset', 'sent', 'key', 'value'], rows)
  if (page.nextCursor !== null && !options.json) note(`there may be more: add --cursor ${page.nextCursor}`)
}
