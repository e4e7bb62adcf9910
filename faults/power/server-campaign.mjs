import { everyday } from '../rows/scenes.mjs'
import { episode } from '../rows/episode.mjs'
import { Synced } from './synced.mjs'

const leaseMs = 4_000
const played = {
  leaseMs,
  drainMs: 60_000,
  scene: everyday({ leaseMs, producer: { pauseMs: 20 }, consumers: 2 }),
  faults: ['power loss'],
}

/** By what its server does with its file: at `always` nothing acknowledged may be lost; at `everysec` losses must be seen, or the row fails. */
export async function serverCampaign(context) {
  const { row, run, adapter, seconds } = context
  const lasting = (fsync, checks, share) => {
    const synced = new Synced(run.folder, `synced-${fsync}`)
    const disturb = async (stage) => {
      do {
        await stage.pause(800, 2_500)
        await losePower(stage, synced, adapter.appends(stage.folder))
      } while (stage.lasts)
      await stage.pause(1_000)
    }
    return episode({ ...context, row: { ...played, id: row.id, checks, disturb }, seconds: seconds * share }, fsync, { fsync, env: synced.env })
  }
  const kept = await lasting('always', ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I10', 'I11', 'I15'], 0.7)
  const os = await lasting('everysec', ['I1'], 0.3)
  const troubles = [...kept.troubles, ...os.troubles.map((each) => `at durability os: ${each}`)]
  if (os.lost === 0) troubles.push(`at durability os ${os.faults} losses of power cost nothing: this row cannot see a loss`)
  return { ...kept, troubles, notes: [...(kept.notes ?? []), `at durability os: ${os.lost} of ${os.acknowledged} acknowledged lost in ${os.faults} losses of power`] }
}

/** `before(node)` is done just before. */
export function losePower(stage, synced, folder, { fault = 'power loss', before = async () => undefined } = {}) {
  const [node] = stage.server.nodes
  return stage.fault(fault, { on: node.name, loses: ['memory', 'os'] }, async () => {
    await before(node)
    await node.kill()
    const bytes = synced.cut(folder, stage.random)
    stage.notes.push(`${fault}: ${bytes} bytes were not synced and went`)
    await stage.pause(0, 500)
    await node.start()
  })
}
