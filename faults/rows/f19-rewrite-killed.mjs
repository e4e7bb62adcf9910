import { losePower } from '../power/server-campaign.mjs'
import { noShim } from '../power/shim.mjs'
import { Synced } from '../power/synced.mjs'
import { everyday } from './scenes.mjs'
import { episode } from './episode.mjs'

const leaseMs = 4_000
const row = {
  id: 'F19',
  leaseMs,
  drainMs: 60_000,
  scene: everyday({ leaseMs, producer: { pauseMs: 20 }, consumers: 2 }),
  faults: ['killed in a rewrite'],
  checks: ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I10', 'I11', 'I15'],
}

/** The server dies while it rewrites its append-only file, and the ends of its files that were not synced are gone. It syncs before it answers, so that nothing acknowledged may be. */
export const rewriteKilled = {
  id: 'F19',
  title: 'the server is killed while it rewrites its file, whose end is cut',
  cannot: ({ name, appends }) => (appends ? noShim() : `engine ${name} has no server that rewrites its file`),
  run(context) {
    const synced = new Synced(context.run.folder)
    const disturb = async (stage) => {
      do {
        await stage.pause(800, 2_000)
        const before = async (node) => {
          await node.call('BGREWRITEAOF')
          await stage.pause(0, stage.random.pick([0, 20, 200]))
        }
        await losePower(stage, synced, context.adapter.appends(stage.folder), { fault: 'killed in a rewrite', before })
      } while (stage.lasts)
      await stage.pause(1_000)
    }
    return episode({ ...context, row: { ...row, disturb } }, 'always', { fsync: 'always', env: synced.env })
  },
}
