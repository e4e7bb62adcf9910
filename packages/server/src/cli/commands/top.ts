import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { type CommonOptions, asking, clientOf, duration, positiveNumber } from '../common.js'
import { print, printTable, tableText } from '../output.js'
import { patiently } from '../patience.js'
import { untilStopped } from '../stopping.js'
import { type Busy, busyBetween, look } from '../busy.js'

interface TopOptions extends CommonOptions {
  readonly interval: number
  readonly count?: number
  readonly topic?: string
}

export function topCommand(): Command {
  return asking('top', 'Show what moves: rates, lag and members of each group, over and over')
    .option('--interval <time>', 'between two looks', duration, 2_000)
    .option('-c, --count <number>', 'stop after so many', positiveNumber)
    .option('-t, --topic <topic>', 'only this topic')
    .addHelpText(
      'after',
      `
On a terminal the table is drawn anew each time; elsewhere one follows the other. With --json each line is one document.
Rates are messages a second since the look before. in: sent to the topic; out: finished by the group.

Examples:
  millrace top
  millrace top --interval 10s --topic orders
  millrace top --count 1 --json | jq '.groups[] | select(.lag > 1000)'`,
    )
    .action(top)
}

async function top(options: TopOptions): Promise<void> {
  const { interval, count = Number.POSITIVE_INFINITY, topic } = options
  const client = clientOf(options)
  const stop = untilStopped()
  const isLive = process.stdout.isTTY && options.json !== true
  let before = await look(client, topic)
  if (isLive) await draw(client.url, busyBetween(undefined, before))
  try {
    for (let shown = 0; shown < count; shown += 1) {
      await sleep(interval, undefined, { signal: stop })
      const now = await patiently(() => look(client, topic), { everyMs: interval, signal: stop })
      const busy = busyBetween(before, now)
      if (options.json) print(JSON.stringify(busy))
      else if (isLive) await draw(client.url, busy)
      else await plain(busy)
      before = now
    }
  } catch (error) {
    if (!stop.aborted) throw error
  }
}

const head = ['topic', 'group', 'in/s', 'out/s', 'lag', 'oldest', 'leased', 'retrying', 'dead', 'members', ''] as const

async function plain(busy: Busy): Promise<void> {
  print(busy.at)
  await printTable({ json: false }, busy, head, rows(busy))
}

/** The whole screen, from its upper left corner, so that a change of size leaves nothing behind. */
async function draw(url: string, busy: Busy): Promise<void> {
  const most = Math.max(5, (process.stdout.rows ?? 24) - 4)
  const all = rows(busy)
  const hidden = all.length > most ? `\n… and ${all.length - most} more: --topic shows those of one` : ''
  const title = `${url}  ${busy.at.slice(11, 19)} UTC  ${busy.topics.length} topics  in ${rate(busy.in)}/s  out ${rate(busy.out)}/s   (Ctrl-C ends)`
  process.stdout.write(`\u001b[H\u001b[2J${title}\n${await tableText(head, all.slice(0, most))}${hidden}\n`)
}

/** The groups with the most to do first; a topic without groups has a line of its own. */
function rows({ topics, groups }: Busy): (string | number | null)[][] {
  const inOf = new Map(topics.map(({ topic, in: rateIn }) => [topic, rateIn]))
  const grouped = new Set(groups.map(({ topic }) => topic))
  const busiest = groups.toSorted((one, other) => other.lag - one.lag || (one.topic < other.topic ? -1 : 1))
  return [
    ...busiest.map((each) => [
      each.topic, each.group, rate(inOf.get(each.topic) ?? null), rate(each.out), each.lag, age(each.oldestMs), each.leased, each.retrying, each.dead, each.members, each.paused ? 'paused' : '',
    ]),
    ...topics.filter(({ topic }) => !grouped.has(topic)).map(({ topic, in: rateIn, paused }) => [topic, null, rate(rateIn), null, null, null, null, null, null, null, paused ? 'paused' : '']),
  ]
}

function rate(perSecond: number | null): string {
  if (perSecond === null) return '-'
  return perSecond >= 100 ? String(Math.round(perSecond)) : perSecond.toFixed(1)
}

function age(ms: number | null): string | null {
  if (ms === null) return null
  const seconds = ms / 1_000
  if (seconds < 100) return `${seconds.toFixed(1)}s`
  return seconds < 6_000 ? `${Math.round(seconds / 60)}m` : `${Math.round(seconds / 3_600)}h`
}
