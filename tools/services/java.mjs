import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { Missing } from './missing.mjs'

const least = 17
let found

/** The command `java`, of version 17 or newer. */
export function java() {
  found ??= find()
  return found
}

function find() {
  const command = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin', 'java') : 'java'
  const { error, stderr } = spawnSync(command, ['-version'], { encoding: 'utf8' })
  const version = /version "(?:1\.)?(\d+)/.exec(stderr ?? '')?.[1]
  if (error !== undefined || version === undefined) throw new Missing(`it needs Java ${least} or newer, and there is no ${command} here: on Debian, apt-get install default-jre-headless`)
  if (Number(version) < least) throw new Missing(`it needs Java ${least} or newer, and ${command} is Java ${version}`)
  return command
}
