import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isMillraceError, MillraceError } from 'millrace'
import { type Problem, checker } from './check.js'
import { readEnvironment, tokensOf } from './environment.js'
import { readMessageQueue } from './message-queue.js'
import { problemText } from './problem-words.js'
import { Config } from './schema.js'

/** Where settings come from: what is named later wins over what is named earlier. */
export interface ConfigSources {
  /** Path of a YAML file. */
  readonly file?: string
  readonly env?: NodeJS.ProcessEnv
  /** From the command line, by dotted path. */
  readonly flags?: Readonly<Record<string, string | undefined>>
}

export interface LoadedConfig {
  readonly config: Config
  /** Dotted paths that somebody set; the others are defaults. */
  readonly given: ReadonlySet<string>
  /** What deserves a line of warning. */
  readonly warnings: readonly string[]
}

type Tree = { [name: string]: unknown }

const fromJson = checker(Config)
const fromTexts = checker(Config, 'texts')

/**
 * Reads, merges and checks the config. Throws CONFIG naming the path of what is wrong and what to do, UNSUPPORTED for
 * an engine that is not there.
 */
export async function loadConfig({ file, env = {}, flags = {} }: ConfigSources): Promise<LoadedConfig> {
  const tree = file === undefined ? {} : await readFile(file)
  // The file has types of its own, and only texts from outside may be converted, so it is checked before they come in.
  verify(fromJson, tree, (problem) => `${file}: ${problemText(problem, 'en', 'the config')}`)

  const { settings, unknown } = readEnvironment(env)
  const outside = [
    ...settings.map(({ path, value, variable }) => ({ path, value, from: variable })),
    ...Object.entries(flags).flatMap(([path, value]) => (value === undefined ? [] : [{ path: path.split('.'), value, from: `--${path.split('.').at(-1)}` }])),
  ]
  const given = new Map<string, string>(paths(tree).map((path) => [path, file ?? '']))
  for (const { path, value, from } of outside) {
    place(tree, path, value)
    given.set(path.join('.'), from)
  }
  const tokens = tokensOf(env)
  if (tokens.length > 0) tree['tokens'] = [...(Array.isArray(tree['tokens']) ? (tree['tokens'] as unknown[]) : []), ...tokens]

  const config = verify(fromTexts, tree, (problem) => `${given.get(problem.path) ?? 'config'}: ${problemText(problem, 'en', 'the config')}`)
  checkTokens(config)
  refuseTwins('topics', 'name', config.topics.map(({ name }) => name))
  const warnings = unknown.map((name) => `${name} is not a setting of the server: it is ignored`)
  return { config, given: new Set(given.keys()), warnings }
}

async function readFile(file: string): Promise<Tree> {
  const { parse } = await import('yaml')
  const { message_queue: queue, ...own } = asTree(file, readYaml(file, parse))
  if (queue === undefined) return own
  const { engine, defaults } = within(file, () => readMessageQueue(queue))
  return { ...own, engine: { ...engine, ...asTree(file, own['engine'] ?? {}) }, defaults: { ...defaults, ...asTree(file, own['defaults'] ?? {}) } }
}

function readYaml(file: string, parse: (text: string) => unknown): unknown {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new MillraceError('CONFIG', `${file} cannot be read: give the path of a YAML file with --config or MILLRACE_CONFIG`, { field: 'config', cause })
  }
  try {
    return parse(text) ?? {}
  } catch (cause) {
    throw new MillraceError('CONFIG', `${file} is not YAML: ${cause instanceof Error ? cause.message.split('\n')[0] : String(cause)}`, { field: 'config', cause })
  }
}

function within<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!isMillraceError(error)) throw error
    throw new MillraceError(error.code, `${file}: ${error.message}`, { ...(error.field !== undefined && { field: error.field }), cause: error })
  }
}

function asTree(file: string, value: unknown): Tree {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw new MillraceError('CONFIG', `${file}: the config must be a map of sections such as listen, engine, tokens`, { field: 'config' })
}

function verify(check: typeof fromJson, tree: Tree, say: (problem: Problem) => string): Config {
  const checked = check(structuredClone(tree))
  if ('value' in checked) return checked.value
  const [problem] = checked.problems
  throw new MillraceError('CONFIG', `${say(problem)}${problem.hint === undefined ? '' : `. ${problem.hint}`}`, { field: problem.path })
}

function checkTokens(config: Config): void {
  for (const [index, { token, sha256, name }] of config.tokens.entries()) {
    if ((token === undefined) === (sha256 === undefined)) {
      throw new MillraceError('CONFIG', `tokens.${index} (${name}) needs either token or sha256, and not both`, { field: `tokens.${index}` })
    }
  }
  refuseTwins('tokens', 'token', config.tokens.map(({ token, sha256 }) => sha256?.toLowerCase() ?? createHash('sha256').update(token ?? '').digest('hex')))
}

/** Of two that are the same one would be passed over. */
function refuseTwins(list: string, name: string, values: readonly string[]): void {
  const twin = values.findIndex((value, index) => values.indexOf(value) !== index)
  if (twin < 0) return
  const first = values.indexOf(values[twin] ?? '')
  throw new MillraceError('CONFIG', `${list}.${twin}.${name} is the same as ${list}.${first}.${name}: remove one`, { field: `${list}.${twin}.${name}` })
}

function place(tree: Tree, path: readonly string[], value: string): void {
  const last = path.at(-1) ?? ''
  let here = tree
  for (const part of path.slice(0, -1)) {
    const next = here[part]
    const inner: Tree = typeof next === 'object' && next !== null ? { ...next } : {}
    here[part] = inner
    here = inner
  }
  here[last] = value
}

function paths(tree: object, before = ''): string[] {
  return Object.entries(tree).flatMap(([name, value]) => {
    const path = before === '' ? name : `${before}.${name}`
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? paths(value as object, path) : [path]
  })
}
