import { randomBytes } from 'node:crypto'
import { Command, Option } from 'commander'
import { type Load, measure, steps } from '../bench/measure.js'
import type { Target } from '../bench/target.js'
import { clientOf, defaultUrl, positiveNumber } from '../common.js'
import { usage } from '../exit-codes.js'
import { note, print, printTable } from '../output.js'
import { startProgress } from '../progress.js'
import { untilStopped } from '../stopping.js'

interface BenchOptions {
  readonly url?: string
  readonly memory?: boolean
  readonly data?: string
  readonly messages: number
  readonly size: number
  readonly batch: number
  readonly lanes: number
  readonly partitions: number
  readonly durability?: 'memory' | 'os' | 'fsync'
  readonly json?: boolean
  readonly progress: boolean
}

export function benchCommand(): Command {
  return new Command('bench')
    .description('Measure how fast messages are sent and consumed, on a topic of its own')
    .option('--url <url>', `a running server (MILLRACE_URL; ${defaultUrl} unless given)`)
    .option('--memory', 'the memory engine, in this process and without a server')
    .option('--data <folder>', 'the embedded engine, in this process, on the store of this folder')
    .option('-n, --messages <number>', 'messages to send and to consume', positiveNumber, 50_000)
    .option('--size <bytes>', 'of each value', positiveNumber, 200)
    .option('--batch <number>', 'messages in one call', positiveNumber, 100)
    .option('--lanes <number>', 'calls under way at one time', positiveNumber, 4)
    .option('--partitions <number>', 'of the topic', positiveNumber, 8)
    .addOption(new Option('--durability <level>', 'of the topic; what the server or engine does unless given').choices(['memory', 'os', 'fsync']))
    .option('--json', 'print JSON, for programs')
    .option('--no-progress', 'no progress bar')
    .addHelpText(
      'after',
      `
Its topic is named bench- and something random, and is deleted at the end, after Ctrl-C too.

Examples:
  millrace bench
  millrace bench --messages 10000 --size 10000 --batch 20
  millrace bench --data /var/lib/millrace-bench --durability os
  millrace bench --memory --batch 1000 --json | jq '.cases[] | {name, messagesPerSecond}'`,
    )
    .action(bench)
}

async function bench(options: BenchOptions): Promise<void> {
  if ([options.url, options.memory, options.data].filter((each) => each !== undefined).length > 1) throw usage('measure one: --url, --memory or --data')
  const { messages, size, batch, lanes, partitions, durability } = options
  const load: Load = { messages, size, batch, lanes, settings: { partitions, ...(durability && { durability }) } }
  const target = await targetOf(options)
  const topic = `bench-${randomBytes(6).toString('hex')}`
  const signal = untilStopped()
  try {
    await target.create(topic, load.settings)
    const cases = await onTopic(target, topic, load, options, signal)
    const about = { target: target.name, messages, size, batch, lanes, partitions, durability: durability ?? null, node: process.versions.node }
    if (!options.json) print(`${target.name}: ${messages} messages of ${size} bytes in batches of ${batch}, ${lanes} at a time, ${partitions} partitions\n`)
    const rows = cases.map((each) => [each.name, each.messagesPerSecond, ms(each.p50Ms), ms(each.p95Ms), ms(each.p99Ms), each.of] as const)
    await printTable({ json: options.json ?? false }, { ...about, cases }, ['', 'messages/s', 'p50', 'p95', 'p99', 'time of'], rows)
  } catch (error) {
    if (!signal.aborted) throw error
    note('millrace: stopped; its topic is deleted')
    process.exitCode = 1
  } finally {
    await target.close()
  }
}

/** Whatever happens, the topic goes. */
async function onTopic(target: Target, topic: string, load: Load, options: BenchOptions, signal: AbortSignal): ReturnType<typeof measure> {
  const all = steps(load)
  const progress = await startProgress('messages', all, options.progress && options.json !== true)
  try {
    return await measure(target, topic, load, { signal, onProgress: (done) => progress.update(done, done) })
  } finally {
    progress.stop()
    await target.remove(topic).catch((error: unknown) => note(`topic ${topic} could not be deleted (${error instanceof Error ? error.message : String(error)}): millrace topics delete ${topic} --yes`))
  }
}

async function targetOf({ url, memory, data }: BenchOptions): Promise<Target> {
  if (memory === true || data !== undefined) {
    const { engineTarget } = await import('../bench/engine-target.js')
    return engineTarget(data)
  }
  const { serverTarget } = await import('../bench/server-target.js')
  return serverTarget(clientOf({ url: url ?? process.env['MILLRACE_URL'] ?? defaultUrl }))
}

function ms(time: number | null): string | null {
  return time === null ? null : `${time < 10 ? time.toFixed(2) : time.toFixed(0)} ms`
}
