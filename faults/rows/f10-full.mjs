import { execFileSync } from 'node:child_process'
import { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmdirSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { staged } from '../run.mjs'
import { episode } from './episode.mjs'
import { everyday } from './scenes.mjs'
import { noFiles } from './servers.mjs'

const leaseMs = 6_000
const checks = ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I10', 'I11', 'I15']
const common = { id: 'F10', leaseMs, checks }

/** The store is on a small disk, which another file fills to the last byte, for a while. */
const disk = {
  ...common,
  scene: everyday({ leaseMs, producer: { pauseMs: 4 }, consumers: 2 }),
  faults: ['disk full'],
  async disturb(stage) {
    const ballast = join(stage.adapter.path(stage.folder), 'ballast')
    while (stage.lasts) {
      await stage.pause(300, 900)
      await refused(stage, 'disk full', async () => {
        fill(ballast)
        await stage.pause(700, 2_000)
        rmSync(ballast)
      })
    }
  },
}

/** The store reaches its `maxBytes`: consumers compute, and producers do not stop. */
const map = {
  ...common,
  scene: everyday({ leaseMs, producer: { pauseMs: 2, batch: 48 }, consumer: { max: 256 }, consumers: 2 }),
  settings: { maxBytes: 250_000 },
  faults: ['store full'],
  async disturb(stage) {
    while (stage.lasts) {
      await stage.pause(100, 400)
      await refused(stage, 'store full', () => Promise.all(stage.all('consumer').map((consumer) => consumer.call('block', stage.random.between(700, 1_500)))))
    }
  },
}

/** The server may have no more memory than it has: for a while it takes nothing that needs some. */
const memory = {
  ...common,
  scene: everyday({ leaseMs, producer: { pauseMs: 4 }, consumers: 2 }),
  faults: ['memory full'],
  async disturb(stage) {
    const [node] = stage.server.nodes
    while (stage.lasts) {
      await stage.pause(300, 900)
      await refused(stage, 'memory full', async () => {
        await node.call('CONFIG', 'SET', 'maxmemory', 1)
        await stage.pause(700, 2_000)
        await node.call('CONFIG', 'SET', 'maxmemory', 0)
      })
    }
  },
}

/** The server has little memory beyond what it needs: consumers compute, and producers do not stop. What is done makes room by itself. */
const little = {
  ...common,
  scene: everyday({ leaseMs, producer: { pauseMs: 2, batch: 48 }, consumer: { max: 256 }, consumers: 2 }),
  faults: ['memory used up'],
  async disturb(stage) {
    const [node] = stage.server.nodes
    await stage.pause(500)
    await node.call('CONFIG', 'SET', 'maxmemory', (await usedMemory(node)) + 400_000)
    while (stage.lasts) {
      await stage.pause(100, 400)
      await refused(stage, 'memory used up', () => Promise.all(stage.all('consumer').map((consumer) => consumer.call('block', stage.random.between(700, 1_500)))))
    }
    await node.call('CONFIG', 'SET', 'maxmemory', 0)
  },
}

async function usedMemory(node) {
  return Number(/^used_memory:(\d+)/m.exec(await node.call('INFO', 'memory'))[1])
}

/**
 * There is no room: first on the disk (a small tmpfs that another file fills), then in the store (`maxBytes`). What has no room is refused with STORE_FULL and
 * was never there, what was acknowledged stays, and once there is room all goes on by itself: each time somebody must have been refused, and
 * afterwards somebody must have been stored, without a restart. On a server it is memory that there is too little of.
 */
export const full = {
  id: 'F10',
  title: 'there is no room',
  seconds: 16,
  cannot: (adapter) => (adapter.limitsMemory ? undefined : (noFiles(adapter) ?? noMount())),
  run: (context) => (context.adapter.limitsMemory ? fullServer(context) : fullStore(context)),
}

/** What everybody has read makes room. */
function keepingNothing({ scene, ...row }) {
  return { ...row, scene: { ...scene, topics: scene.topics.map((topic) => ({ ...topic, keep: { count: 0 } })) } }
}

async function fullServer(context) {
  const reports = []
  for (const [name, row] of [['memory', memory], ['little', little]]) reports.push(await episode({ ...context, row: keepingNothing(row), seconds: context.seconds / 2 }, name))
  return merged(reports)
}

async function fullStore({ adapter, run, seconds, progress }) {
  const reports = []
  for (const [name, row] of [['disk', disk], ['map', map]]) {
    const own = { ...run, folder: join(run.folder, name), settings: { ...row.settings } }
    const store = adapter.path(own.folder)
    for (const part of ['history', 'logs']) mkdirSync(join(own.folder, part), { recursive: true })
    mkdirSync(store)
    if (row === disk) mount(store)
    try {
      reports.push(await staged({ row: keepingNothing(row), adapter, run: own, seconds: seconds / 2, progress }))
    } finally {
      if (row === disk) unmount(store, `${store}-kept`)
    }
  }
  return merged(reports)
}

function mount(folder) {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', folder], { stdio: 'ignore' })
}

function unmount(store, kept) {
  cpSync(store, kept, { recursive: true })
  execFileSync('umount', [store], { stdio: 'ignore' })
}

/** A fault that came off if somebody was refused. Whoever has room again must be seen to store something, or it is trouble. */
function refused(stage, fault, work) {
  return stage.fault(fault, { on: 'the store', loses: [] }, async () => {
    const before = count(stage, /"kind":"fail".*"code":"STORE_FULL"/g)
    await work()
    const after = count(stage, /"kind":"fail".*"code":"STORE_FULL"/g)
    const stored = count(stage, /"kind":"ok".*"survives"/g)
    const ends = performance.now() + 10_000
    while (count(stage, /"kind":"ok".*"survives"/g) === stored && performance.now() < ends) await stage.pause(50)
    if (performance.now() >= ends) stage.troubles.push(`10 s after ${fault} nothing was stored yet`)
    return after > before
  })
}

/** How often it stands in what the producers have written down. */
function count(stage, pattern) {
  const folder = join(stage.folder, 'history')
  return readdirSync(folder).filter((name) => name.startsWith('producer')).reduce((sum, name) => sum + (readFileSync(join(folder, name), 'utf8').match(pattern)?.length ?? 0), 0)
}

/** Writes until there is no byte left. */
function fill(file) {
  const descriptor = openSync(file, 'w')
  for (let bytes = 65_536; bytes >= 1; ) {
    try {
      writeSync(descriptor, Buffer.alloc(bytes))
    } catch (error) {
      if (error.code !== 'ENOSPC') throw error
      bytes >>= 4
    }
  }
  closeSync(descriptor)
}

function merged(reports) {
  const sum = (field) => reports.reduce((total, report) => total + (report[field] ?? 0), 0)
  const sums = Object.fromEntries(['attempts', 'acknowledged', 'lost', 'duplicated', 'violations', 'faults'].map((field) => [field, sum(field)]))
  return {
    ...sums,
    drainMs: reports.some(({ drainMs }) => drainMs === null) ? null : Math.max(...reports.map(({ drainMs }) => drainMs)),
    happened: Object.assign({}, ...reports.map(({ happened }) => happened)),
    found: reports.flatMap(({ found = [] }) => found),
    troubles: reports.flatMap(({ troubles }) => troubles),
  }
}

function noMount() {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-mount-'))
  try {
    mount(folder)
    execFileSync('umount', [folder], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'it needs a small disk, and mounting a tmpfs is not allowed here'
  } finally {
    rmdirSync(folder)
  }
}
