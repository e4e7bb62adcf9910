import { join } from 'node:path'
import { campaign } from '../power/campaign.mjs'
import { buildShim, Control, noShim } from '../power/shim.mjs'
import { noFiles } from './servers.mjs'

const ways = [
  { fault: 'sync fails', rate: 'failSyncs', counter: 'failedSyncs' },
  { fault: 'write of the head fails', rate: 'failDurables', counter: 'failedDurables' },
  { fault: 'write fails', rate: 'failWrites', counter: 'failedWrites' },
]

/**
 * The disk answers EIO, to a write or to a sync, at seeded moments; the processes that hear it end, and are started anew. After a failed sync
 * Linux has forgotten what it was to write, and the next sync succeeds without it: so the engine must not go on as if nothing had happened.
 *
 * The errors come from the shim of F6, and its log shows what the disk holds after them (what a failed sync was to write, it has or has not,
 * and no later sync brings it). The run ends with a loss of power at many moments, as in F6, so that whoever has acknowledged what only the cache knew is found out.
 * Not covered: errors on reading, which reach a process that maps its file as SIGBUS.
 */
export const ioErrors = {
  id: 'F11',
  title: 'the disk answers EIO to writes and syncs',
  seconds: 30,
  cannot: (adapter) => noFiles(adapter) ?? noShim(),
  run: async ({ row, adapter, run, seconds, progress }) => {
    const began = performance.now()
    const control = new Control(join(run.folder, 'control'), { random: run.seed })
    const lasts = () => performance.now() - began < seconds * 1_000
    const happened = {}
    const { attempts, acknowledged, lost, duplicated, found, troubles, images, counts } = await campaign({
      row, adapter, run, library: buildShim(run.folder), progress, durability: 'fsync', seconds: seconds * 0.45, least: 3, lasts, control, more: { revive: true },
      disturb: (stage) => fail(stage, control, happened),
    })
    control.close()
    for (const { fault } of ways) if (!happened[fault]) troubles.push(`the fault ${fault} never happened`)
    const faults = Object.values(happened).reduce((sum, each) => sum + each, 0)
    return {
      attempts, acknowledged, lost, duplicated, violations: found.length, faults, happened, found, troubles, details: { images, ...counts },
      notes: [`then ${images} losses of power: ${Object.entries(counts).map(([what, count]) => `${count} ${what}`).join(', ')}`],
    }
  },
}

async function fail(stage, control, happened) {
  const everybody = [...stage.all('producer'), ...stage.all('consumer'), ...stage.all('operator')]
  for (let round = 0; stage.lasts || round < ways.length; round += 1) {
    const { fault, rate, counter } = ways[round % ways.length]
    await stage.pause(50, 300)
    const isDone = await stage.fault(fault, { on: 'the disk', loses: [] }, async () => {
      const before = control.read()[counter]
      control.set({ [rate]: stage.random.between(50_000, 1_000_000), failuresLeft: 1 })
      const failed = await until(stage, 2_000, () => control.read()[counter] > before)
      control.set({ [rate]: 0, failuresLeft: 0 })
      // Whoever heard it ends by itself, soon after.
      await until(stage, 500, () => everybody.some(({ isAlive }) => !isAlive))
      await until(stage, 5_000, () => everybody.every(({ isAlive }) => isAlive))
      return failed
    })
    if (isDone) happened[fault] = (happened[fault] ?? 0) + 1
  }
}

async function until(stage, withinMs, isSo) {
  for (const ends = performance.now() + withinMs; performance.now() < ends; await stage.pause(5)) if (isSo()) return true
  return isSo()
}
