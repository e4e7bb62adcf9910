import { existsSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { Command, Option } from 'commander'
import type { Config } from '../../config/schema.js'
import type { Serving } from '../../serve.js'
import { defaultUrl } from '../common.js'
import { exitCodes } from '../exit-codes.js'
import { note, print } from '../output.js'

interface ServeFlags {
  readonly config?: string
  readonly host?: string
  readonly port?: string
  readonly data?: string
  readonly memory?: boolean
  readonly logLevel?: string
  readonly json?: boolean
}

const usualFile = 'millrace.yaml'

export function serveCommand(): Command {
  return new Command('serve')
    .description('Run the server')
    .option('-c, --config <path>', `YAML file (MILLRACE_CONFIG; ${usualFile} here is taken when there is one)`)
    .option('--host <address>', 'address to listen on; beyond loopback only with tokens')
    .option('-p, --port <number>', 'port to listen on; 7420, or the next free one, unless given')
    .option('--data <folder>', 'folder of the store')
    .option('--memory', 'keep messages in memory: they are gone when the server stops')
    .addOption(new Option('--log-level <level>').choices(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']))
    .option('--json', 'print one line of JSON when it listens')
    .addHelpText(
      'after',
      `
Settings come from the command line, then the environment, then the file. Every setting of the file has a variable:
MILLRACE_ and its path, as in MILLRACE_LISTEN_PORT or MILLRACE_ENGINE_PATH. MILLRACE_ADMIN_TOKEN and
MILLRACE_SERVICE_TOKEN turn access control on.

Examples:
  millrace serve
  millrace serve --port 8080 --data /var/lib/millrace
  millrace serve --port 0 --json
  MILLRACE_ADMIN_TOKEN=... millrace serve --host 0.0.0.0`,
    )
    .action(run)
}

async function run(flags: ServeFlags): Promise<void> {
  const [{ loadConfig }, { serve }] = await Promise.all([import('../../config/load.js'), import('../../serve.js')])
  const file = flags.config ?? process.env['MILLRACE_CONFIG'] ?? (existsSync(usualFile) ? usualFile : undefined)
  const { config, given, warnings } = await loadConfig({
    ...(file !== undefined && { file }),
    env: process.env,
    flags: { 'listen.host': flags.host, 'listen.port': flags.port, 'engine.path': flags.data, 'engine.provider': flags.memory ? 'memory' : undefined, 'log.level': flags.logLevel },
  })
  for (const warning of warnings) note(`millrace: ${warning}`)
  const topics = config.topics.length > 0 ? config.topics : [{ name: 'hello', description: 'To try things out' }]
  const serving = await serve({ ...config, topics }, { nextPort: !given.has('listen.port') })
  if (flags.json) announce(serving, config)
  else welcome(serving, config, topics[0]?.name ?? 'hello')
  closeOnSignal(serving)
}

/** For a program that has started it, and waits for it. */
function announce({ url, mill }: Serving, { engine, tokens }: Config): void {
  print(JSON.stringify({ url, engine: mill.engine.name, data: mill.engine.traits.persistent ? resolve(engine.path) : null, tokens: tokens.length > 0, pid: process.pid }))
}

function welcome({ url, mill }: Serving, config: Config, topic: string): void {
  const isOpen = config.tokens.length === 0
  const moved = config.listen.port !== 0 && Number(new URL(url).port) !== config.listen.port ? ` (port ${config.listen.port} is taken)` : ''
  const post = `curl -s${isOpen ? '' : ' -H "Authorization: Bearer $MILLRACE_TOKEN"'} -H 'Content-Type: application/json'`
  const command = `${url === defaultUrl ? '' : `MILLRACE_URL=${url} `}${commandName()}`
  print(`Millrace listens on ${url}${moved}`)
  print(`  messages: ${mill.engine.name === 'memory' ? 'in memory, gone when the server stops' : `on disk, in ${config.engine.path}`}`)
  print(`  access:   ${isOpen ? 'open to programs on this machine and to no others, because no tokens are set' : 'by token; set MILLRACE_TOKEN for the lines below'}`)
  print('\nSend a message:')
  print(`  ${post} ${url}/api/v1/mq/messages -d '{"topicName":"${topic}","value":"good morning"}'`)
  print('Read it:')
  print(`  ${post} ${url}/api/v1/mq/pull -d '{"topicName":"${topic}","groupId":"me"}'`)
  print('Or without curl:')
  print(`  ${command} send ${topic} "good morning"`)
  print(`  ${command} consume ${topic}`)
  print(`\nEvery call: ${url}/openapi.json. Ctrl-C stops the server.`)
}

/** How this command was called, so that the printed lines can be copied. */
function commandName(): string {
  const script = process.argv[1] ?? ''
  if (!script.endsWith('.js')) return 'millrace'
  const path = relative(process.cwd(), script)
  return `node ${/[^\w./-]/.test(path) ? JSON.stringify(path) : path}`
}

function closeOnSignal(serving: Serving): void {
  let isClosing = false
  const close = (signal: string): void => {
    if (isClosing) {
      note('millrace: stopped at once')
      process.exit(exitCodes.failed)
    }
    isClosing = true
    note(`millrace: ${signal}, closing (again to stop at once)`)
    serving.close().then(
      () => process.exit(exitCodes.ok),
      (error: unknown) => {
        note(`millrace: ${error instanceof Error ? error.message : String(error)}`)
        process.exit(exitCodes.failed)
      },
    )
  }
  process.on('SIGINT', () => close('SIGINT'))
  process.on('SIGTERM', () => close('SIGTERM'))
}
