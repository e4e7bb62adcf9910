import { readFileSync } from 'node:fs'
import { afterEach, expect, it, vi } from 'vitest'
import { nativeClient } from './native-client.mjs'

afterEach(() => vi.unstubAllEnvs())

it('nobody who installs the workspace installs the native client', () => {
  for (const file of ['../../package.json', '../../package-lock.json']) expect(readFileSync(new URL(file, import.meta.url), 'utf8')).not.toContain('@confluentinc')
})

it('where it cannot be built, the word is the line to type', async () => {
  vi.stubEnv('PATH', '/nowhere')
  vi.stubEnv('SERVICES_CACHE', '/nowhere')
  await expect(nativeClient()).rejects.toThrow('on Debian: apt-get install g++ make python3 libcurl4-openssl-dev libssl-dev libsasl2-dev zlib1g-dev libzstd-dev liblz4-dev')
})
