import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cleanEnvironment } from '../package-check/npm.mjs'
import { keep, kept } from './cache.mjs'
import { run } from './command.mjs'
import { Missing } from './missing.mjs'

const source = fileURLToPath(new URL('./native-client/', import.meta.url))
const name = '@confluentinc/kafka-javascript'
const version = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')).dependencies[name]
/** A binary is for one version of Node's binary interface, and for one kind of machine. */
const folderName = ['native-client', version, `node-${process.versions.modules}`, process.platform, process.arch].join('-')
const buildMs = 20 * 60_000

/** What a build needs: a command or a header, and the package of Debian that has it. */
const needs = [
  { command: 'g++', from: 'g++' },
  { command: 'make', from: 'make' },
  { command: 'python3', from: 'python3' },
  { header: 'curl/curl.h', from: 'libcurl4-openssl-dev' },
  { header: 'openssl/ssl.h', from: 'libssl-dev' },
  { header: 'sasl/sasl.h', from: 'libsasl2-dev' },
  { header: 'zlib.h', from: 'zlib1g-dev' },
  { header: 'zstd.h', from: 'libzstd-dev' },
  { header: 'lz4.h', from: 'liblz4-dev' },
]

/** Where to import the client from, when it was built; never builds it. */
export function builtNativeClient() {
  const folder = kept(folderName)
  return folder === undefined ? undefined : entryIn(folder)
}

/** As `builtNativeClient`; throws Missing where it was not built: whoever runs tests does not wait minutes for it unasked. */
export function lentNativeClient() {
  const built = builtNativeClient()
  if (built === undefined) throw new Missing(noNativeClient() ?? 'it was not built: npm run services -- native-client')
  return built
}

/** Why it is not there and cannot be built here; undefined where it is or can. */
export function noNativeClient() {
  if (builtNativeClient() !== undefined) return undefined
  const packages = needs.filter(({ command, header }) => (command === undefined ? !hasHeader(header) : !hasCommand(command))).map(({ from }) => from)
  return packages.length === 0 ? undefined : `its build needs more; on Debian: apt-get install ${packages.join(' ')}`
}

/** Builds the client once, from the source that its package brings along, and answers where to import it from. */
export async function nativeClient() {
  const missing = noNativeClient()
  if (missing !== undefined) throw new Missing(missing)
  return entryIn(await keep(folderName, build))
}

async function build(folder) {
  for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(source, file), join(folder, file))
  // Its own install script would look for a binary to download first, and link what it brings along in a way that downloads too.
  // It compiles as many files at a time as there are, which `-l` bounds.
  const env = { ...cleanEnvironment(), CKJS_LINKING: 'dynamic', MAKEFLAGS: `-l${availableParallelism() * 2}` }
  const options = { cwd: folder, env, timeoutMs: buildMs }
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], options)
  await run('npm', ['run', 'compile', ...nodeHeaders()], options)
  prune(join(folder, 'node_modules', name))
  await run(process.execPath, ['--eval', 'require(process.argv[1])', entryIn(folder)])
}

/** Where this Node brought its headers along, nothing is downloaded for them. */
function nodeHeaders() {
  const prefix = dirname(dirname(process.execPath))
  return existsSync(join(prefix, 'include', 'node', 'node.h')) ? ['--', `--nodedir=${prefix}`] : []
}

/** Nine tenths are sources and what the compiler left. */
function prune(folder) {
  const left = ['deps', 'src', 'build/Release/obj.target', 'build/Release/.deps', 'build/deps/include', 'build/deps/pkgconfig']
  for (const path of left) rmSync(join(folder, path), { recursive: true, force: true })
  for (const file of readdirSync(join(folder, 'build/deps')).filter((each) => each.endsWith('.a'))) rmSync(join(folder, 'build/deps', file))
}

function entryIn(folder) {
  return join(folder, 'node_modules', name, 'lib', 'index.js')
}

function hasCommand(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0
}

function hasHeader(header) {
  return spawnSync('g++', ['-E', '-x', 'c++', '-'], { input: `#include <${header}>\n`, stdio: ['pipe', 'ignore', 'ignore'] }).status === 0
}
