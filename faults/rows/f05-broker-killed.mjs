import { everyday } from './scenes.mjs'
import { noServer } from './servers.mjs'

/**
 * The server that the engine runs on dies by SIGKILL under load, and starts again on its data; of several nodes the one that has most to do. Between its deaths it gets what else its kind
 * may get while it lives (`nuisances`).
 */
export const brokerKilled = {
  id: 'F5',
  title: "the engine's server is killed and starts again on its data",
  scene: everyday({ producer: { pauseMs: 30 } }),
  seconds: 20,
  faults: ({ server }) => ['kill', ...Object.keys(server.nuisances ?? {})],
  checks: ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I10', 'I11', 'I15'],
  cannot: noServer,
  async disturb(stage) {
    const nuisances = Object.entries(stage.server.nuisances ?? {})
    for (let turn = 0; stage.lasts || turn < Math.max(1, nuisances.length); turn += 1) {
      await stage.pause(500, 3_000)
      const node = await stage.server.busiest()
      await stage.fault('kill', { on: node.name }, async () => {
        await node.kill()
        await stage.pause(0, 1_500)
        await node.start()
      })
      if (nuisances.length === 0) continue
      await stage.pause(500, 1_500)
      const [name, trouble] = nuisances[turn % nuisances.length]
      await stage.fault(name, { on: node.name, loses: [] }, () => trouble(node))
    }
    await stage.pause(1_000)
  },
}
