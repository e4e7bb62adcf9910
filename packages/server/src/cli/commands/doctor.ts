import { existsSync } from 'node:fs'
import { Command } from 'commander'
import type { Client } from '../client.js'
import { type CommonOptions, clientOf, duration, outputOf, positiveNumber } from '../common.js'
import { type Finding, ok, plural, span } from '../doctor/finding.js'
import { lookTwice } from '../doctor/looks.js'
import { memory, node } from '../doctor/machine.js'
import { judgeQueue } from '../doctor/queue.js'
import { checkConfig, checkPort } from '../doctor/settings.js'
import { checkFolder, checkStore, hasStore } from '../doctor/store.js'
import { CommandFailure, exitCodes, usage } from '../exit-codes.js'
import { oneLine, print, printJson } from '../output.js'

interface DoctorOptions {
  readonly data?: string
  readonly url?: string
  readonly config?: string
  readonly json?: boolean
  readonly timeout: number
  readonly maxBytes: number
}

const usualFile = 'millrace.yaml'

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Find what commonly goes wrong, and say what to do')
    .option('--data <folder>', 'look at the store in this folder; a server may be using it')
    .option('--url <url>', 'look at a running server')
    .option('-c, --config <path>', `of the server (MILLRACE_CONFIG; ${usualFile} here is taken when there is one)`)
    .option('--timeout <time>', 'how long the store may keep a commit waiting', duration, 5_000)
    .option('--max-bytes <number>', 'what programs open the store with, if not the default', positiveNumber, 32 * 2 ** 30)
    .option('--json', 'print JSON, for programs')
    .addHelpText(
      'after',
      `
Without --data and --url it looks at what "millrace serve" would run with here: the config, its port, and its store.
Each finding is ok, notice (worth a look) or wrong (messages are lost or stuck, or will be); 1 is the exit code when
something is wrong.

Examples:
  millrace doctor
  millrace doctor --data /var/lib/millrace
  millrace doctor --url http://127.0.0.1:7420 --json | jq '.findings[] | select(.level != "ok")'`,
    )
    .action(doctor)
}

async function doctor(options: DoctorOptions): Promise<void> {
  const { data, url } = options
  if (data !== undefined && url !== undefined) throw usage('look at one: --data or --url')
  const findings = url !== undefined ? await ofServer(clientOf({ url })) : [node(), memory(), ...(await (data === undefined ? ofPlace(options) : ofData(data, options)))]
  const bad = findings.filter(({ level }) => level === 'wrong').length
  if (outputOf(options as CommonOptions).json) printJson({ healthy: bad === 0, findings })
  else show(findings)
  if (bad > 0) throw new CommandFailure(exitCodes.failed, `${plural(bad, 'finding')} of ${findings.length} ${bad === 1 ? 'is' : 'are'} wrong`, { detail: { error: 'UNHEALTHY' } })
}

/** What a server would run with in this folder. */
async function ofPlace(options: DoctorOptions): Promise<readonly Finding[]> {
  const file = options.config ?? process.env['MILLRACE_CONFIG'] ?? (existsSync(usualFile) ? usualFile : undefined)
  const { findings, loaded } = await checkConfig(file)
  if (!loaded) return findings
  const { engine } = loaded.config
  const { finding, url } = await checkPort(loaded)
  if (engine.provider === 'embedded') return [...findings, finding, ...(await storeAt(engine.path, options))]
  return [...findings, finding, ...(url === undefined ? [] : await ofServer(clientOf({ url })))]
}

async function ofData(path: string, options: DoctorOptions): Promise<readonly Finding[]> {
  if (hasStore(path)) return storeAt(path, options)
  throw new CommandFailure(exitCodes.notFound, `there is no store in ${path}: give the folder that serve --data was given`)
}

async function storeAt(path: string, { timeout, maxBytes }: DoctorOptions): Promise<readonly Finding[]> {
  const folder = await checkFolder(path)
  return [...folder, ...(hasStore(path) ? await checkStore({ path, timeoutMs: timeout, maxBytes }) : [ok('store', `none in ${path} yet: it is made at the first start`)])]
}

async function ofServer(client: Client): Promise<readonly Finding[]> {
  const begun = performance.now()
  await client.get('/monitoring', { metrics: 'messageCount' })
  const answered = ok('server', `${client.url} answers in ${span(performance.now() - begun)}`)
  return [answered, ...judgeQueue({ ...(await lookTwice(client)), inUse: true })]
}

function show(findings: readonly Finding[]): void {
  const width = Math.max(...findings.map(({ check }) => check.length))
  for (const { level, check, says, means, todo } of findings) {
    print(`${level.padEnd(6)}  ${check.padEnd(width)}  ${oneLine(says, 1_000)}`)
    if (means !== undefined) print(`${' '.repeat(10 + width)}means: ${oneLine(means, 1_000)}`)
    if (todo !== undefined) print(`${' '.repeat(10 + width)}do: ${oneLine(todo, 1_000)}`)
  }
}
