import { everyday } from './scenes.mjs'

/** Producers die by SIGKILL at any moment and come again: what had no answer is sent once more, under the same dedup id. */
export const producerKilled = {
  id: 'F1',
  title: 'a producer is killed and sends again what had no answer',
  scene: everyday({ producer: { pauseMs: 15 } }),
  faults: ['kill'],
  checks: ['I1', 'I2', 'I3', 'I4', 'I6', 'I7', 'I8', 'I10', 'I11', 'I13', 'I15'],
  async disturb(stage) {
    while (stage.lasts) {
      await stage.pause(50, 700)
      await stage.killAndStart(stage.random.pick(stage.all('producer')), 'kill', [0, 200])
    }
  },
}
