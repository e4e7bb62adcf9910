import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Runs a program and answers its output. Throws with all it said when it fails or takes longer than two minutes. */
export function run(program, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 120_000, maxBuffer: 1 << 26, ...options })
  if (error) throw error
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`)
  return stdout
}

/** The package as a file, and the paths in it. */
export function pack(folder, destination) {
  const [{ filename, files }] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', destination], { cwd: folder, env: cleanEnvironment() }))
  return { file: join(destination, filename), paths: files.map(({ path }) => path) }
}

/** Makes an empty folder and installs the packed files there, with what they depend on and nothing else. */
export function installAlone(folder, files) {
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', ...files], { cwd: folder, env: cleanEnvironment() })
}

/** A script run by npm carries the workspace's own settings along, which a fresh folder would not have. */
export function cleanEnvironment() {
  const foreign = /^(npm_(package|lifecycle)_|npm_config_(local_prefix|workspace)|INIT_CWD)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)))
}
