import { writeFile } from 'node:fs/promises'
import { join as joinPath } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Engine, Membership } from '../../engine/engine.js'
import { guard } from '../../engine/guard.js'
import { embedded } from './index.js'
import { idsOf, type OtherProcess, ownersBecome, Processes, request } from './processes.harness.js'

const forever = 25_000
let processes: Processes
let engine: Engine
let busy: OtherProcess
beforeEach(async () => {
  processes = await Processes.start(import.meta.resolve('lmdb'))
  engine = guard(embedded(processes.options))
  await engine.open()
  busy = await processes.open()
})
afterEach(async () => {
  await engine.close()
  await processes.end()
})

/** Keeps the other process's thread busy; what it gives ends that. */
function block(other: OtherProcess): () => Promise<unknown> {
  const file = joinPath(processes.path, 'enough')
  const ended = other.call('block', file)
  ended.catch(() => undefined)
  return async () => {
    await writeFile(file, '')
    await ended
  }
}

function join(member: string): Promise<Membership> {
  return engine.join({ ...request(member), revoke: async () => undefined })
}

describe('a process whose thread is busy', () => {
  it('keeps its leases for longer than the lease: the late verdict counts, and nobody else had the message', async () => {
    await busy.call('createTopic', { name: 't', partitions: 3, keep: {} })
    const theirs = await busy.call('join', request('busy'))
    // The third member dies as the busy one begins: once its partition has moved, more than a lease has passed.
    const killed = await processes.open()
    await killed.call('join', request('killed'))
    const mine = await join('neighbour')
    await ownersBecome(engine, 'busy', 'killed', 'neighbour')
    await engine.publish([0, 1, 2].map((partition) => processes.draft('t', { id: `p${partition}`, partition })))
    const [held] = await busy.call('lease', theirs, { max: 10, waitMs: forever })
    const unblock = block(busy)
    await killed.kill()
    await ownersBecome(engine, 'busy', 'neighbour')

    const owned = (await engine.groups.positions('t', 'g')).filter(({ owner }) => owner === 'neighbour').length
    const got: string[] = []
    while (got.length < owned) got.push(...idsOf(await mine.lease({ max: 10, waitMs: forever })))
    expect(got).not.toContain(held?.message.id)
    await unblock()
    expect(held && (await busy.call('settle', theirs, [{ delivery: held, is: 'done' }]))).toEqual(['settled'])
  })

  it('loses them once it is busy for longer than stallMs: another has the message and the late verdict is lapsed', async () => {
    await busy.call('createTopic', { name: 't', partitions: 1, keep: {} })
    await engine.publish([processes.draft('t', { id: 'long' })])
    const theirs = await busy.call('join', request('busy', { stallMs: 1_500 }))
    const [held] = await busy.call('lease', theirs, { max: 1, waitMs: forever })
    const mine = await join('neighbour')
    const unblock = block(busy)
    const [taken] = await mine.lease({ max: 1, waitMs: forever })
    expect(taken).toMatchObject({ attempt: 2, alone: true, message: { id: 'long' } })
    await unblock()
    expect(held && (await busy.call('settle', theirs, [{ delivery: held, is: 'done' }]))).toEqual(['lapsed'])
    expect(taken && (await mine.settle([{ delivery: taken, is: 'done' }]))).toEqual(['settled'])
  })

  it('holds nobody up: another publishes while it is busy with publishes under way', async () => {
    await busy.call('createTopic', { name: 't', partitions: 1, keep: {} })
    await busy.call('flood', { topic: 't', partitions: 1, batch: 200, underWay: 4, prefix: 'busy' })
    await busy.heard('stored')
    const unblock = block(busy)
    for (const id of ['one', 'two', 'three']) {
      expect(await engine.publish([processes.draft('t', { id })])).toEqual([{ ok: expect.objectContaining({ id }) }])
    }
    await unblock()
  })
})
