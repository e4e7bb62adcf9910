import { describe, expect, test } from 'vitest'
import type { ShownGroup } from '../shown.js'
import { judgeKind, judgeSpace, judgeSyncTimes, mountOptions } from './file-system.js'
import { parseLockFile } from './lock-file.js'
import { memory, node } from './machine.js'
import { judgeQueue } from './queue.js'
import type { Survey } from './survey.js'

const disk = { type: 0xef53, freeBytes: 50e9, totalBytes: 100e9, options: 'rw,relatime' }

describe('the machine', () => {
  test.each([
    ['20.19.0', 'ok'],
    ['24.1.0', 'ok'],
    ['20.18.9', 'wrong'],
    ['18.20.4', 'wrong'],
  ])('Node %s is %s', (version, level) => {
    expect(node(version)).toMatchObject({ level })
  })

  test.each([
    ['no limit', { 'memory.max': 'max', 'memory.current': '5' }, 'ok'],
    ['room', { 'memory.max': '4000000000', 'memory.current': '5' }, 'ok'],
    ['a limit that is nearly reached', { 'memory.max': '4000000000', 'memory.current': '3900000000' }, 'wrong'],
    ['a limit below what a server needs', { 'memory.max': '100000000', 'memory.current': '5' }, 'notice'],
    ['a limit below the heap of Node', { 'memory.max': '1000000000', 'memory.current': '5' }, 'notice'],
  ])('memory with %s', (_, files: Readonly<Record<string, string>>, level) => {
    const read = (path: string): string | undefined => (path === '/proc/self/cgroup' ? '0::/app/one\n' : path.startsWith('/sys/fs/cgroup/app/memory') ? files[path.slice('/sys/fs/cgroup/app/'.length)] : undefined)
    expect(memory(read, 2e9)).toMatchObject({ level })
  })
})

describe('the file system', () => {
  test.each([
    ['a disk', disk, 'ok'],
    ['memory', { ...disk, type: 0x01021994 }, 'wrong'],
    ['a network', { ...disk, type: 0x6969 }, 'wrong'],
    ['the layer of a container', { ...disk, type: 0x794c7630 }, 'notice'],
    ['a program', { ...disk, type: 0x65735546 }, 'notice'],
    ['a layer that never syncs', { ...disk, type: 0x794c7630, options: 'rw,volatile' }, 'wrong'],
    ['a disk without barriers', { ...disk, options: 'rw,nobarrier' }, 'wrong'],
  ])('on %s', (_, system, level) => {
    expect(judgeKind(system)).toMatchObject({ level })
  })

  test.each([
    ['50 of 100 GB', disk, 'ok'],
    ['2 of 100 GB', { ...disk, freeBytes: 2e9 }, 'notice'],
    ['50 GB of 10 TB', { ...disk, totalBytes: 10e12 }, 'ok'],
    ['100 MB', { ...disk, freeBytes: 100e6 }, 'wrong'],
  ])('with %s free', (_, system, level) => {
    expect(judgeSpace(system)).toMatchObject({ level })
  })

  test('options are those of the nearest mount and of its file system', () => {
    const info = '20 1 8:1 / / rw,relatime - ext4 /dev/sda rw,nobarrier\n21 20 0:5 / /my\\040data rw,noatime shared:1 - xfs /dev/sdb rw,inode64\n'
    expect(mountOptions('/my data/store', info)).toBe('rw,noatime,rw,inode64')
    expect(mountOptions('/my', info)).toBe('rw,relatime,rw,nobarrier')
  })

  test('a sync that takes no time, or very long', () => {
    expect([[0.001, 0.002, 4], [0.3, 0.5, 0.4], [80, 90, 100]].map((times) => judgeSyncTimes(times).level)).toEqual(['wrong', 'ok', 'notice'])
  })
})

test('a lock file of another layout is passed over', () => {
  expect(parseLockFile(Buffer.alloc(8_192))).toBe(undefined)
  expect(parseLockFile(Buffer.alloc(3))).toBe(undefined)
})

describe('what a queue holds', () => {
  const now = Date.parse('2030-01-15T10:30:00Z')
  const empty: Survey = { at: now, topics: [{ name: 'orders', paused: false }], groups: [], bytes: 0, newest: null, backwards: null, prepared: [], overdue: [], isWhole: true }
  const group: ShownGroup = {
    groupId: 'g', topicName: 'orders', consumerCount: 1, status: 'active', paused: false, lag: 3, ready: 3, leased: 0, retrying: 0, lent: 0, parked: 0, dead: 0, settled: 0, purged: 0, oldest: null,
  }
  const judge = (first: Partial<Survey>, second: Partial<Survey> = first, inUse = true) =>
    judgeQueue({ first: { ...empty, ...first }, second: { ...empty, ...second }, now, inUse }).filter(({ level }) => level !== 'ok').map(({ level, check }) => `${level} ${check}`)

  test.each([
    ['nothing', {}, []],
    ['a group that reads', { groups: [group] }, []],
    ['a group without members', { groups: [{ ...group, consumerCount: 0 }] }, ['notice groups']],
    ['a group without members that has read all', { groups: [{ ...group, consumerCount: 0, lag: 0 }] }, []],
    ['a paused group', { groups: [{ ...group, paused: true, consumerCount: 0 }] }, ['notice paused']],
    ['a paused topic', { topics: [{ name: 'orders', paused: true }] }, ['notice paused']],
    ['dead letters', { groups: [{ ...group, dead: 2 }] }, ['notice dead letters']],
    ['a message of tomorrow', { newest: { topic: 'orders', at: now + 86_400_000 } }, ['wrong clock']],
    ['a message of a moment ago', { newest: { topic: 'orders', at: now - 5 } }, []],
    ['times that go back', { backwards: { topic: 'orders', byMs: 3_600_000 } }, ['notice clock']],
    ['a server with another clock', { at: now + 60_000 }, ['notice clock']],
    ['a prepared message of a moment ago', { prepared: [{ id: 'orders:1', heldAt: now - 5, isParked: false }] }, []],
    ['an old prepared message', { prepared: [{ id: 'orders:1', heldAt: now - 3_600_000, isParked: false }] }, ['notice prepared']],
    ['a prepared message that nobody answered for', { prepared: [{ id: 'orders:1', heldAt: now, isParked: true }] }, ['wrong prepared']],
    ['a late delay', { overdue: [60_000] }, ['wrong delays']],
  ])('%s', (_, first, found) => {
    expect(judge(first)).toEqual(found)
  })

  test('a lag that grows while nobody reads is wrong', () => {
    const idle = { ...group, consumerCount: 0 }
    expect(judge({ groups: [idle] }, { groups: [{ ...idle, lag: 4 }] })).toEqual(['wrong groups'])
  })

  test('in a store that nobody has open nobody is missed', () => {
    expect(judge({ groups: [{ ...group, consumerCount: 0 }], overdue: [60_000] }, {}, false)).toEqual([])
  })

  test('each finding that is not ok says what it means and what to do', () => {
    const findings = judgeQueue({ first: { ...empty, overdue: [60_000], groups: [{ ...group, dead: 1, paused: true }] }, second: empty, now, inUse: true })
    for (const { level, means, todo } of findings) expect([level, Boolean(means && todo)]).toEqual([level, level !== 'ok'])
  })
})
