import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { keep, kept } from './cache.mjs'
import { run } from './command.mjs'
import { Missing } from './missing.mjs'

/** The folder with all jars that a pom.xml names. Maven fetches them, once. */
export async function javaJars(pom) {
  return join(await keep(nameOf(pom), (folder) => fetchJars(pom, folder)), 'jars')
}

/** Why the jars are not to be had; undefined where they are, or can be fetched. */
export function noJars(pom) {
  if (kept(nameOf(pom)) !== undefined || spawnSync('mvn', ['--version'], { stdio: 'ignore' }).status === 0) return undefined
  return 'it needs Maven to fetch its jars once, and there is none here: on Debian, apt-get install maven'
}

async function fetchJars(pom, folder) {
  const missing = noJars(pom)
  if (missing !== undefined) throw new Missing(missing)
  copyFileSync(pom, join(folder, 'pom.xml'))
  try {
    await run('mvn', ['--batch-mode', '--quiet', '--strict-checksums', 'dependency:copy-dependencies', `-DoutputDirectory=${join(folder, 'jars')}`], { cwd: folder, timeoutMs: 600_000 })
  } catch (error) {
    throw new Missing(`Maven could not fetch its jars: ${error.message}`)
  }
}

/** Another pom.xml is another folder. */
function nameOf(pom) {
  return `${basename(dirname(pom))}-${createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12)}`
}
