import { existsSync } from 'node:fs'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { topicConfig } from '../../core/topic.js'
import type { Engine } from '../../engine/engine.js'
import { guard } from '../../engine/guard.js'
import { embedded } from './index.js'
import { Processes, request } from './processes.harness.js'

let processes: Processes
let lmdb: string
let fault: string
beforeEach(async () => {
  processes = await Processes.start(import.meta.resolve('lmdb'))
  fault = join(processes.path, 'fault')
  lmdb = await failingLmdb()
})
afterEach(() => processes.end())

/** The real library, but that a commit fails as it does after a failed sync, as long as there is a file `fault`. */
async function failingLmdb(): Promise<string> {
  const file = join(processes.path, 'failing-lmdb.mjs')
  await writeFile(file, `
    import { existsSync } from 'node:fs'
    import { open as openReal } from ${JSON.stringify(import.meta.resolve('lmdb'))}
    export function open(options) {
      const root = openReal(options)
      const commit = root.transactionSync.bind(root)
      root.transactionSync = (work, flags) => {
        if (existsSync(${JSON.stringify(fault)})) throw Object.assign(new Error('Input/output error'), { code: 5 })
        return commit(work, flags)
      }
      return root
    }`)
  return pathToFileURL(file).href
}

async function opened(): Promise<Engine> {
  const engine = guard(embedded({ ...processes.options, lmdb, durability: 'fsync' }))
  await engine.open()
  return engine
}

async function idsIn(engine: Engine): Promise<string[]> {
  return (await engine.browse({ topic: 't', from: 'start', limit: 100 })).items.map(({ id }) => id)
}

describe('a disk that fails a commit', () => {
  it('is written no more by this engine though it works again, is still read, and takes more once the engine is opened anew', async () => {
    const engine = await opened()
    await engine.topics.create(topicConfig({ name: 't', partitions: 1, keep: {} }))
    const failed = { stored: 'unknown', error: expect.objectContaining({ code: 'ENGINE_FAILED', message: expect.stringMatching(/Input\/output error.*open it again/) }) }
    await engine.publish([processes.draft('t', { id: 'before' })])
    const member = await engine.join({ ...request('reader'), revoke: async () => undefined })
    await writeFile(fault, '')
    expect(await engine.publish([processes.draft('t', { id: 'while it fails' })])).toEqual([failed])
    await rm(fault)
    expect(await engine.publish([processes.draft('t', { id: 'after' })])).toEqual([failed])
    await expect(member.lease({ max: 1, waitMs: 0 })).rejects.toThrow(expect.objectContaining({ code: 'ENGINE_FAILED' }))
    expect(await idsIn(engine)).toEqual(['before'])
    await engine.close()

    const again = await opened()
    expect(await again.publish([processes.draft('t', { id: 'anew' })])).toEqual([{ ok: expect.objectContaining({ id: 'anew' }) }])
    expect(await idsIn(again)).toEqual(['before', 'anew'])
    await again.close()
  })

  it('as it is opened is the disk, not a damaged store', async () => {
    await (await opened()).close()
    await writeFile(fault, '')
    await expect(opened()).rejects.toThrow(expect.objectContaining({ code: 'ENGINE_FAILED' }))
  })
})

describe('a new store', () => {
  it('is made under another name, of which nothing is left', async () => {
    const engine = await opened()
    expect((await readdir(processes.options.path)).sort()).toEqual(['bell', 'store.mdb', 'store.mdb-lock'])
    await engine.close()
  })

  it('opens though one that died has left its own half made', async () => {
    await mkdir(processes.options.path)
    await writeFile(join(processes.options.path, 'new-1.mdb'), 'half')
    const engine = await opened()
    expect(existsSync(join(processes.options.path, 'store.mdb'))).toBe(true)
    await engine.close()
  })
})
