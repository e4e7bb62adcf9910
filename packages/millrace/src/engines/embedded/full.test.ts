import { execFileSync } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { topicConfig } from '../../core/topic.js'
import type { Engine, Published } from '../../engine/engine.js'
import { guard } from '../../engine/guard.js'
import { embedded } from './index.js'
import { idsOf, Processes, request } from './processes.harness.js'

let processes: Processes
let engine: Engine
beforeEach(async () => {
  processes = await Processes.start(import.meta.resolve('lmdb'))
})
afterEach(async () => {
  await engine.close()
  await processes.end()
})

/** Publishes until something is refused; says what was stored and what refused. */
async function fill(bytes: number, batch: number): Promise<{ readonly stored: string[]; readonly refused: Published[] }> {
  const stored: string[] = []
  for (;;) {
    const answers = await engine.publish(Array.from({ length: batch }, () => processes.draft('t', { value: Buffer.alloc(bytes, 'v') })))
    stored.push(...answers.flatMap((answer) => ('ok' in answer ? [answer.ok.id] : [])))
    const refused = answers.filter((answer) => 'error' in answer)
    if (refused.length > 0) return { stored, refused }
  }
}

async function idsInLog(): Promise<string[]> {
  const ids: string[] = []
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
    const page = await engine.browse({ topic: 't', from: 'start', limit: 1_000, ...(cursor === undefined ? {} : { cursor }) })
    ids.push(...page.items.map(({ id }) => id))
    cursor = page.cursor
  }
  return ids
}

/** Stored on the first try or, as a caller does whose error is retryable, on a later one, once the store says that there is room. */
async function publishes(id: string): Promise<void> {
  for (;;) {
    const room = new Promise<void>((resolve) => {
      const stop = engine.watch(({ what }) => {
        if (what !== 'room') return
        stop()
        resolve()
      })
    })
    const [answer] = await engine.publish([processes.draft('t', { id, value: Buffer.alloc(1_000) })])
    if (answer && 'ok' in answer) return
    await room
  }
}

const full = { stored: 'no', error: expect.objectContaining({ code: 'STORE_FULL', retryable: true }) }

describe('a store that has reached maxBytes', () => {
  it('refuses each draft that has no room, keeps what it answered, and takes more once what was read is gone', async () => {
    engine = guard(embedded({ ...processes.options, maxBytes: 200_000 }))
    await engine.open()
    await engine.topics.create(topicConfig({ name: 't', partitions: 1, keep: { count: 0 } }))
    const member = await engine.join({ ...request('reader'), revoke: async () => undefined })
    const { stored, refused } = await fill(1_000, 37)
    for (const each of refused) expect(each).toEqual(full)
    expect(await idsInLog()).toEqual(stored)
    const leased = await member.lease({ max: 10_000, waitMs: 0 })
    expect(idsOf(leased)).toEqual(stored)
    await member.settle(leased.map((delivery) => ({ delivery, is: 'done' })))
    await publishes('afterwards')
    expect(idsOf(await member.lease({ max: 10, waitMs: 0 }))).toEqual(['afterwards'])
  })
})

describe('a disk that is full', () => {
  let disk: string
  let why: string | undefined
  beforeEach(async () => {
    disk = join(processes.path, 'disk')
    await mkdir(disk)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', disk], { stdio: 'ignore' })
      why = undefined
    } catch {
      why = 'needs a small disk, and mounting a tmpfs is not allowed here'
    }
    engine = guard(embedded({ ...processes.options, path: join(disk, 'store') }))
  })
  afterEach(async () => {
    await engine.close()
    if (why === undefined) execFileSync('umount', [disk])
  })

  it('is a clear refusal; what is there is read and settled, and there is room again when another file goes', async (context) => {
    if (why !== undefined) context.skip(why)
    await writeFile(join(disk, 'other'), Buffer.alloc(2 ** 20))
    await engine.open()
    await engine.topics.create(topicConfig({ name: 't', partitions: 1, keep: {} }))
    const member = await engine.join({ ...request('reader', { leaseMs: 60_000 }), revoke: async () => undefined })
    const { stored, refused } = await fill(10_000, 20)
    for (const each of refused) expect(each).toEqual(full)
    expect(await idsInLog()).toEqual(stored)

    await rm(join(disk, 'other'))
    const leased = await member.lease({ max: 10, waitMs: 0 })
    expect(idsOf(leased)).toEqual(stored.slice(0, 10))
    expect(await member.settle(leased.map((delivery) => ({ delivery, is: 'done' })))).toEqual(leased.map(() => 'settled'))
    const [more] = await engine.publish([processes.draft('t', { id: 'more' })])
    expect(more).toEqual({ ok: expect.objectContaining({ id: 'more' }) })

    await engine.close()
    engine = guard(embedded({ ...processes.options, path: join(disk, 'store') }))
    await engine.open()
    expect(await idsInLog()).toEqual([...stored, 'more'])
    expect((await engine.groups.positions('t', 'g')).map(({ watermark }) => watermark)).toEqual([10n])
  })
})
