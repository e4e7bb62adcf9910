import { createServer } from 'node:net'
import { checkListening } from '../../access/loopback.js'
import { type LoadedConfig, loadConfig } from '../../config/load.js'
import { type Finding, notice, ok, wrong } from './finding.js'

/** What `millrace serve` would run with, here and now. */
export async function checkConfig(file: string | undefined): Promise<{ readonly findings: readonly Finding[]; readonly loaded?: LoadedConfig }> {
  try {
    const loaded = await loadConfig({ ...(file !== undefined && { file }), env: process.env })
    return { loaded, findings: [readable(file, loaded), access(loaded)] }
  } catch (error) {
    return { findings: [wrong('config', error instanceof Error ? error.message : String(error), 'the server does not start with it', 'correct what it says')] }
  }
}

function readable(file: string | undefined, { warnings }: LoadedConfig): Finding {
  if (warnings.length > 0) return notice('config', warnings.join('; '), 'a setting that you mean may not be set', 'see docs/server.md for the names')
  return ok('config', file ?? 'no file: defaults and the environment')
}

function access({ config }: LoadedConfig): Finding {
  try {
    checkListening(config)
  } catch (error) {
    return wrong('access', error instanceof Error ? error.message : String(error), 'the server does not start with it', 'as it says')
  }
  return ok('access', config.tokens.length > 0 ? `by token, ${config.tokens.length} known` : `open to programs on this machine (${config.listen.host}) and to no others`)
}

/** Whether a server could listen, or one does already. */
export async function checkPort({ config, given }: LoadedConfig): Promise<{ readonly finding: Finding; readonly url?: string }> {
  const { host, port } = config.listen
  const code = await listening(host, port)
  if (code === undefined) return { finding: ok('port', port === 0 ? 'any free one' : `${port} is free: no server runs here`) }
  const url = `http://${host.includes(':') ? `[${host}]` : host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`
  if (code !== 'EADDRINUSE') return { finding: wrong('port', `cannot listen on ${host}, port ${port}: ${code}`, 'the server does not start', 'choose another host or port') }
  if (await isMillrace(url)) return { finding: ok('port', `a Millrace server answers at ${url}`), url }
  const says = `${port} is taken by a program that is no Millrace server`
  const todo = 'choose another with --port, MILLRACE_PORT or listen.port'
  return { finding: given.has('listen.port') ? wrong('port', says, 'the server does not start', todo) : notice('port', says, 'the server takes the next free one', todo) }
}

function listening(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve('code' in error ? String(error.code) : error.message))
    server.listen(port, host, () => server.close(() => resolve(undefined)))
  })
}

async function isMillrace(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(3_000) })
    const { data } = (await response.json()) as { data?: { status?: unknown } } // whatever it is, it is asked for this alone
    return data?.status === 'ok'
  } catch {
    return false
  }
}
