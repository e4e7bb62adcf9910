import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('main.js', import.meta.url))
/** Where the commands run. */
export const folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'))

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export function millrace(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const { MILLRACE_URL: _, MILLRACE_TOKEN: __, PORT: ___, ...own } = process.env
  return spawn(process.execPath, [main, ...args], { cwd: folder, env: { ...own, NO_COLOR: '1', ...env } })
}

export async function ended(child: ChildProcess, input?: string): Promise<Ended> {
  let out = ''
  let err = ''
  child.stdout?.on('data', (chunk) => (out += String(chunk)))
  child.stderr?.on('data', (chunk) => (err += String(chunk)))
  child.stdin?.end(input)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, out, err }
}

export interface Server {
  readonly child: ChildProcess
  readonly url: string
  readonly welcome: string
}

/** The lines that it prints, for a test that waits for them. */
export async function* linesOf(child: ChildProcess, from: 'stdout' | 'stderr' = 'stdout'): AsyncGenerator<string, undefined> {
  let rest = ''
  for await (const chunk of child[from] ?? []) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  return undefined
}

/** Resolves when it has said that it listens. */
export function startServer(args: readonly string[], env: Record<string, string> = {}): Promise<Server> {
  const child = millrace(['serve', ...args], env)
  return new Promise((resolve, reject) => {
    let out = ''
    let err = ''
    child.stderr?.on('data', (chunk) => (err += String(chunk)))
    child.once('close', () => reject(new Error(`the server ended: ${err}`)))
    child.stdout?.on('data', (chunk) => {
      out += String(chunk)
      const url = /listens on (\S+)/.exec(out)?.[1]
      if (url !== undefined && out.includes('Ctrl-C')) resolve({ child, url, welcome: out })
    })
  })
}

export async function stopServer({ child }: Server, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode
  const code = new Promise<number | null>((resolve) => child.once('close', resolve))
  child.kill(signal)
  return code
}
