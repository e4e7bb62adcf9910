import { spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * Spawns a process that ends with this one, however this one ends: a small shell waits at a pipe whose other end is ours, and kills it when the pipe closes. A group of its own keeps it from
 * the terminal's Ctrl-C: who started it stops it. It does not keep this process running.
 */
export async function spawnGuarded(command, args, options) {
  const child = spawn(command, args, { ...options, detached: true })
  await once(child, 'spawn')
  const guard = spawn('sh', ['-c', 'read -r _; kill -9 "$0"', String(child.pid)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  guard.on('error', () => child.kill('SIGKILL'))
  guard.stdin.on('error', () => undefined)
  child.once('exit', () => guard.kill('SIGKILL'))
  for (const each of [child, guard, guard.stdin]) each.unref()
  return child
}
