import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Database, type Key, open as openLmdb } from 'lmdb'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { topicConfig } from '../../core/topic.js'
import { guard } from '../../engine/guard.js'
import { embedded } from './index.js'
import { Processes, request } from './processes.harness.js'

let processes: Processes
let file: string
beforeEach(async () => {
  processes = await Processes.start(import.meta.resolve('lmdb'))
  file = join(processes.options.path, 'store.mdb')
  await mkdir(processes.options.path)
})
afterEach(() => processes.end())

const marker = 'the value whose bits are flipped'

/** The bytes of a healthy store with a hundred messages. */
async function healthy(): Promise<Buffer> {
  const engine = guard(embedded(processes.options))
  await engine.open()
  await engine.topics.create(topicConfig({ name: 't', partitions: 1, keep: {} }))
  await engine.publish(Array.from({ length: 100 }, (_, index) => processes.draft('t', { value: Buffer.alloc(500 + index * 100, marker) })))
  await engine.close()
  return readFile(file)
}

/** Opens in a process of its own, which must survive that, and expects a refusal that leaves the file as it is. */
async function expectRefused(code: 'STORE_FOREIGN' | 'STORE_DAMAGED', message: RegExp): Promise<void> {
  const before = await readFile(file)
  const other = await processes.fork()
  const error: unknown = await other.call('open', processes.options).then(() => 'opened', (reason: unknown) => reason)
  expect(error).toEqual(expect.objectContaining({ code, message: expect.stringMatching(message) }))
  expect(await other.dismiss()).toEqual({ code: 0, signal: null })
  expect((await readFile(file)).equals(before)).toBe(true)
}

/** A file of LMDB with what `fill` puts there. */
async function lmdbFile(fill: (root: ReturnType<typeof openLmdb>) => void): Promise<void> {
  const root = openLmdb({ path: file, maxDbs: 32, overlappingSync: false })
  fill(root)
  await root.close()
}

describe('a file that is no store is refused and left as it is:', () => {
  it('a text', async () => {
    await writeFile(file, 'Dear diary, '.repeat(2_000))
    await expectRefused('STORE_FOREIGN', /is not an LMDB file: choose another path/)
  })

  it('a short text', async () => {
    await writeFile(file, 'Dear diary, today')
    await expectRefused('STORE_FOREIGN', /is not an LMDB file/)
  })

  it('a database that Millrace did not make', async () => {
    await lmdbFile((root) => {
      root.openDB({ name: 'accounts' }).putSync('ada', { balance: 3 })
      root.putSync('also', 'here')
    })
    await expectRefused('STORE_FOREIGN', /was not made by Millrace/)
  })

  it('a store of a newer version', async () => {
    await healthy()
    await lmdbFile((root) => {
      const meta = root.openDB({ name: 'meta', keyEncoding: 'binary', encoding: 'binary' })
      meta.putSync(Buffer.from('millrace'), Buffer.from(JSON.stringify({ format: 3, boot: 'x' })))
    })
    await expectRefused('STORE_FOREIGN', /has format 3, and this version reads 2/)
  })

  it('a path that is a file', async () => {
    await writeFile(file, 'something')
    const engine = guard(embedded({ ...processes.options, path: file }))
    await expect(engine.open()).rejects.toThrow(expect.objectContaining({ code: 'STORE_FOREIGN', message: expect.stringContaining('is a file, and a store is a folder') }))
    expect(await readFile(file, 'utf8')).toBe('something')
  })
})

describe('a damaged store is refused and left as it is:', () => {
  it('cut off, wherever', async () => {
    const whole = await healthy()
    for (const bytes of [9, 100, 4_096, 8_191, 8_192, 20_000, whole.length >> 1, whole.length - 4_096, whole.length - 1]) {
      await writeFile(file, whole.subarray(0, bytes))
      await expectRefused('STORE_DAMAGED', /is damaged: .*(should have \d+|head).*Nothing was changed: restore it from a backup/)
    }
  })

  it('overwritten at its beginning', async () => {
    const whole = await healthy()
    const garble = (bytes: Buffer, from: number, to: number): void => {
      for (let at = from; at < to; at += 1) bytes[at] = (at * 7_919 + 13) & 255
    }
    const damages: readonly ((bytes: Buffer) => void)[] = [
      (bytes) => bytes.fill(0, 0, 4_096),
      (bytes) => bytes.fill(0, 4_096, 8_192),
      (bytes) => bytes.fill(0, 0, 65_536),
      (bytes) => garble(bytes, 0, 200),
      (bytes) => garble(bytes, 28, 200),
      (bytes) => garble(bytes, 4_096 + 28, 8_192),
    ]
    for (const damage of damages) {
      const bytes = Buffer.from(whole)
      damage(bytes)
      await writeFile(file, bytes)
      await expectRefused('STORE_DAMAGED', /is damaged/)
    }
  })

  it('with the rows of a table lost', async () => {
    const bytes = await healthy()
    // The end of each page that has the only topic's row: its first rows lie there.
    for (let at = bytes.indexOf('"name":"t"'); at !== -1; at = bytes.indexOf('"name":"t"', at + 1)) {
      const end = (Math.floor(at / 4_096) + 1) * 4_096
      bytes.fill(0, end - 1_024, end)
    }
    await writeFile(file, bytes)
    await expectRefused('STORE_DAMAGED', /the rows of its table topics are lost/)
  })

  it('with a head that has gone back in time, which would lose the last commit in silence', async () => {
    const bytes = await healthy()
    const younger = bytes.readBigUInt64LE(152) > bytes.readBigUInt64LE(4_096 + 152) ? 0 : 4_096
    bytes.writeBigUInt64LE(bytes.readBigUInt64LE(younger + 152) ^ 4n, younger + 152)
    await writeFile(file, bytes)
    await expectRefused('STORE_DAMAGED', /do not follow each other/)
  })
})

describe('a store opens', () => {
  it('and says which message is damaged when it is read', async () => {
    const bytes = await healthy()
    // Pages that are no longer in use hold copies.
    for (let at = bytes.indexOf(marker); at !== -1; at = bytes.indexOf(marker, at)) bytes[at] = (bytes[at] ?? 0) ^ 1
    await writeFile(file, bytes)
    const engine = guard(embedded(processes.options))
    await engine.open()
    await expect(engine.browse({ topic: 't', from: 'start', limit: 100 })).rejects.toThrow(expect.objectContaining({ code: 'STORE_DAMAGED', message: expect.stringMatching(/t\/0\/\d+ is not what was written/) }))
    await engine.close()
  })

  it('and says so when a row of its own is not what was written', async () => {
    const bytes = await healthy()
    const published = '"published":100'
    for (let at = bytes.indexOf(published); at !== -1; at = bytes.indexOf(published, at)) bytes.write('"published":101', at)
    await writeFile(file, bytes)
    const engine = guard(embedded(processes.options))
    await engine.open()
    await expect(engine.census()).rejects.toThrow(expect.objectContaining({ code: 'STORE_DAMAGED', message: expect.stringContaining('a row of its table parts is not what was written') }))
    await engine.close()
  })

  it.each<[string, (log: Database, key: Key) => unknown]>([
    ['is missing', (log, key) => log.removeSync(key)],
    ['is too short to be one', (log, key) => log.putSync(key, Buffer.alloc(8))],
    ['stands under half a key', (log, key) => [log.putSync((key as Buffer).subarray(0, 7), log.get(key)), log.removeSync(key)]],
  ])('and names a message that %s, to who reads and to who consumes', async (_, damage) => {
    await healthy()
    await lmdbFile((root) => {
      const log = root.openDB({ name: 'log', keyEncoding: 'binary', encoding: 'binary' })
      damage(log, [...log.getKeys()][40] ?? '')
    })
    const engine = guard(embedded(processes.options))
    await engine.open()
    const missing = expect.objectContaining({ code: 'STORE_DAMAGED', message: expect.stringContaining('the message at t/0/40 is missing or damaged') })
    await expect(engine.browse({ topic: 't', from: 'start', limit: 100 })).rejects.toThrow(missing)
    const member = await engine.join({ ...request('reader'), revoke: async () => undefined })
    expect(await member.lease({ max: 40, waitMs: 0 })).toHaveLength(40)
    await expect(member.lease({ max: 40, waitMs: 0 })).rejects.toThrow(missing)
    await engine.close()
  })

  it('though its last pages were never written, because the commit that took them freed them', async () => {
    await healthy()
    await lmdbFile((root) => {
      const meta = root.openDB({ name: 'meta', keyEncoding: 'binary', encoding: 'binary' })
      root.transactionSync(() => {
        meta.putSync(Buffer.from('zz'), Buffer.alloc(400_000))
        meta.removeSync(Buffer.from('zz'))
      })
    })
    const bytes = await readFile(file)
    const lastPage = Math.max(Number(bytes.readBigUInt64LE(144)), Number(bytes.readBigUInt64LE(4_096 + 144)))
    expect(bytes.length).toBeLessThan((lastPage + 1) * 4_096)
    const engine = guard(embedded(processes.options))
    await engine.open()
    expect((await engine.browse({ topic: 't', from: 'start', limit: 1_000 })).items).toHaveLength(100)
    await engine.close()
  })
})

it('a module of lmdb that is not there is CONFIG', async () => {
  const engine = guard(embedded({ ...processes.options, lmdb: 'file:///nowhere/lmdb.js' }))
  await expect(engine.open()).rejects.toThrow(expect.objectContaining({ code: 'CONFIG', message: expect.stringContaining('file:///nowhere/lmdb.js') }))
})
