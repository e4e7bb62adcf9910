import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as lmdb from 'lmdb'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { topicConfig } from '../../../core/topic.js'
import { HandClock } from '../../../testing/hand-clock.js'
import { packDrafts } from '../../../engine/record.js'
import * as groups from './groups.js'
import { type Leased, lease } from './lease.js'
import type { LmdbModule } from './lmdb.js'
import { publish } from './publish.js'
import { Roster } from './roster.js'
import { Store } from './store.js'
import * as topics from './topics.js'

const leaseMs = 1_000
const clock = new HandClock()
let path: string
let store: Store
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'millrace-roster-'))
  const settings = { path: join(path, 'store'), durability: 'os', maxBytes: 2 ** 24, gate: new SharedArrayBuffer(8) } as const
  store = new Store(lmdb as unknown as LmdbModule, settings, clock)
  store.write((txn) => topics.create(txn, topicConfig({ name: 't', partitions: 6, keep: {} })))
})
afterEach(async () => {
  await store.close()
  await rm(path, { recursive: true, force: true })
})

/** One process of a group, with one member. */
class Process {
  readonly lost: number[] = []
  readonly #roster = new Roster(clock, () => clock.monotonic(), { revoke: () => undefined, overdue: () => undefined, lost: (_, partitions) => void this.lost.push(...partitions) })
  readonly #name: string
  #handle = 0

  constructor(name: string) {
    this.#name = name
  }

  join(): void {
    const request = { topic: 't', group: 'g', member: this.#name, mode: 'share', from: 'start', leaseMs, stallMs: 1e9, drainMs: 1e9, maxDeliveries: 9, park: true } as const
    this.#handle = store.write((txn) => this.#roster.join(txn, request))
    this.#roster.committed()
  }

  look(): void {
    store.write((txn) => {
      this.#roster.beat(txn)
      this.#roster.look(txn)
    })
    this.#roster.committed()
  }

  commit(): void {
    store.write((txn) => this.#roster.beat(txn))
  }

  lease(): Leased[] {
    const member = this.#roster.get(this.#handle)
    return store.write((txn) => lease(txn, member.cursors(txn, member.of(txn)!), 100, true))
  }
}

function sendToAll(): void {
  const drafts = Array.from({ length: 6 }, (_, partition) => ({ id: `m${partition}`, topic: 't', partition, key: null, value: null, headers: [], timestamp: 0, producerId: 'p' }))
  const { bytes, ends } = packDrafts(drafts)
  store.write((txn) => drafts.forEach(({ partition }, index) => publish(txn, groups.topicRow(txn, 't'), { partition, bytes: 1, record: Buffer.from(bytes.slice(ends[index - 1] ?? 0, ends[index])) }, 2 ** 24)))
}

describe('a member that is silent for longer than its lease', () => {
  it('loses all its partitions at once, and what it had comes again though it joins under its name again', async () => {
    const all = [new Process('silent'), new Process('finder'), new Process('idle')] as const
    const [silent, finder, idle] = all
    silent.join()
    sendToAll()
    expect(silent.lease()).toHaveLength(6)
    finder.join()
    idle.join()
    await clock.advance(leaseMs / 2)
    idle.commit()
    await clock.advance(leaseMs / 2 + 1)
    finder.look()
    silent.look()
    expect(silent.lost.sort()).toEqual([0, 1, 2, 3, 4, 5])
    silent.join()

    // A suspect comes alone.
    idle.look()
    for (const each of all) expect(each.lease()).toEqual([expect.objectContaining({ attempt: 2, alone: true })])
  })

  it('is not one that commits something, however late its looks are', async () => {
    const [busy, finder] = [new Process('busy'), new Process('finder')]
    busy.join()
    finder.join()
    for (let left = 5; left > 0; left -= 1) {
      await clock.advance(leaseMs * 0.8)
      busy.commit()
      finder.look()
    }
    busy.look()
    expect(busy.lost).toEqual([])
  })
})
