import { everyday } from './scenes.mjs'
import { noServer } from './servers.mjs'

/**
 * The server has written and says so, and its answer is lost with the connection. Whoever asked may ask again: nothing is there twice but what its
 * producer, told that the outcome is unknown, has sent again itself.
 */
export const answerLost = {
  id: 'F13',
  title: 'the answer to a write is lost after the write',
  scene: everyday({ leaseMs: 4_000 }),
  leaseMs: 4_000,
  isProxied: true,
  hangMs: 60_000,
  faults: ['answer lost'],
  checks: ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I10', 'I11', 'I15'],
  cannot: noServer,
  async disturb(stage) {
    while (stage.lasts) {
      await stage.pause(50, 800)
      const { name, proxy } = stage.random.pick(stage.server.nodes)
      await stage.fault('answer lost', { on: name, loses: [] }, async () => {
        const { lost, cancel } = proxy.loseAnswer()
        await stage.within(3_000, lost)
        cancel()
        return lost
      })
    }
  },
}
