import { everyday } from './scenes.mjs'
import { episode } from './episode.mjs'

const leaseMs = 4_000
const whole = {
  id: 'F18',
  leaseMs,
  drainMs: 90_000,
  scene: everyday({ leaseMs, producer: { pauseMs: 20 }, consumers: 2 }),
  faults: ['failover', 'promotion'],
  checks: ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I10', 'I11', 'I15'],
  async disturb(stage) {
    const turns = [failOver, promote]
    for (let turn = 0; stage.lasts || turn < turns.length; turn += 1) {
      await stage.pause(1_000, 2_500)
      await turns[turn % turns.length](stage)
    }
    await stage.pause(1_000)
  },
}

/** What was lost is gone, whatever else a history says of it: only that losses are seen is of interest. */
const lossy = { ...whole, checks: ['I1'], faults: ['failover'], disturb: (stage) => stage.pause(1_500).then(() => failOver(stage)).then(() => stage.pause(1_000)) }

/**
 * The replica stands still, and the primary, which does not wait for it, dies: Sentinel makes the replica the primary, which lacks what it was not told. By turns
 * the replica is made the primary on demand, with the old one alive. With a confirmation by a replica for each write nothing acknowledged may be
 * lost; without, losses must be seen, or the row fails: a test that cannot lose is no test.
 */
export const failover = {
  id: 'F18',
  title: 'the primary dies while its replica stands still',
  seconds: 20,
  cannot: ({ name, choices }) => (choices?.topology?.includes('sentinel') ? undefined : `engine ${name} runs on no server that fails over to a replica by itself`),
  async run(context) {
    const sentinel = { topology: 'sentinel' }
    const kept = await episode({ ...context, row: whole }, 'replicated', { ...sentinel, confirm: 1 })
    const os = await episode({ ...context, row: lossy, seconds: 5 }, 'os', sentinel)
    const troubles = [...kept.troubles, ...os.troubles.map((each) => `at os: ${each}`)]
    if (os.lost === 0) troubles.push('without a confirmation by the replica a failover cost nothing: this row cannot see a loss')
    return { ...kept, troubles, notes: [...(kept.notes ?? []), `without a confirmation by the replica: ${os.lost} of ${os.acknowledged} acknowledged lost`] }
  },
}

async function failOver(stage) {
  const primary = await stage.server.busiest()
  const replica = stage.server.nodes.find((node) => node !== primary)
  await stage.fault('failover', { on: primary.name, loses: ['memory', 'os', 'fsync'] }, async () => {
    replica.pause()
    // What is on its way to it would reach it yet.
    await primary.call('CLIENT', 'KILL', 'TYPE', 'replica')
    await stage.pause(500, 2_000)
    await primary.kill()
    replica.resume()
    await becomesPrimary(stage, replica)
    await primary.start()
    await copies(stage, primary)
  })
}

async function promote(stage) {
  const primary = await stage.server.busiest()
  const replica = stage.server.nodes.find((node) => node !== primary)
  await stage.fault('promotion', { on: replica.name, loses: ['memory', 'os', 'fsync'] }, async () => {
    await stage.server.failOver()
    await becomesPrimary(stage, replica)
    await copies(stage, primary)
  })
}

function becomesPrimary(stage, node) {
  return comes(stage, `${node.name} is the primary`, async () => (await node.call('INFO', 'replication')).includes('role:master'))
}

function copies(stage, node) {
  return comes(stage, `${node.name} is a replica`, async () => (await node.call('INFO', 'replication')).includes('master_link_status:up'))
}

async function comes(stage, what, isSo) {
  const until = performance.now() + 40_000
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > until) throw new Error(`not within 40 s: ${what}`)
    await stage.pause(50)
  }
}
