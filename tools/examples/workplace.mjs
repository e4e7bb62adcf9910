import { spawn, spawnSync } from 'node:child_process'
import { existsSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const timeoutMs = 120_000

/** Makes a folder where programs find the built packages, and TypeScript its settings. */
export function equip(folder, root) {
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  const options = { target: 'es2023', lib: ['es2023'], module: 'nodenext', types: ['node'], strict: true, skipLibCheck: true, noEmitOnError: true }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['**/*.ts'] }))
}

/** Type-checks and builds every TypeScript file in the folder, in place. Answers what is wrong, or nothing. */
export function build(folder, files) {
  if (!files.some((file) => file.endsWith('.ts'))) return ''
  return spawnSync(process.execPath, [join(folder, 'node_modules/typescript/bin/tsc'), '--project', folder], { encoding: 'utf8' }).stdout
}

/** Runs a program in its folder and answers what it printed; what it complained about and a bad end are printed too. `env` is on top of ours. */
export async function output(folder, file, env = {}) {
  const child = spawn(process.execPath, [file], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs, env: { ...process.env, FORCE_COLOR: '0', ...env } })
  let text = ''
  let complaints = ''
  child.stdout.setEncoding('utf8').on('data', (part) => (text += part))
  child.stderr.setEncoding('utf8').on('data', (part) => (complaints += part))
  const [code, signal] = await new Promise((resolve) => child.on('close', (...end) => resolve(end)))
  return code === 0 ? text : `${text}${complaints}ended with ${signal ?? code}\n`
}

/** The program of an example folder. */
export function mainOf(folder) {
  return ['main.mjs', 'main.ts'].find((file) => existsSync(join(folder, file)))
}
