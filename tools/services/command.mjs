import { spawnGuarded } from './guarded.mjs'

/**
 * Runs a program to its end and answers what it printed, `{ stdout, stderr }`. One that fails is an error with both, and `code`. `input` goes to its standard input; `signal` ends it, which is
 * no failure; one that runs longer than `timeoutMs` is killed.
 */
export async function run(command, args, { input = '', signal, timeoutMs = 120_000, ...options } = {}) {
  const child = await spawnGuarded(command, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
  child.ref()
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (part) => (said[name] += part))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const end = () => child.kill('SIGTERM')
  signal?.addEventListener('abort', end, { once: true })
  if (signal?.aborted) end()
  const late = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  const [code, how] = await new Promise((resolve) => child.once('close', (...ended) => resolve(ended)))
  clearTimeout(late)
  signal?.removeEventListener('abort', end)
  if (code === 0 || signal?.aborted) return said
  throw Object.assign(new Error(`${command} ${args.join(' ')} ended with ${how ?? code}\n${said.stdout}${said.stderr}`), { code, ...said })
}
