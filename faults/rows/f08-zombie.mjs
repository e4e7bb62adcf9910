import { everyday } from './scenes.mjs'

const leaseMs = 1_500

/** A consumer stops inside its handler for longer than its lease, others take over, and then it goes on and gives its verdicts: none may count. */
export const zombie = {
  id: 'F8',
  title: 'a consumer stops beyond its lease, and its late verdicts are refused',
  scene: everyday({ leaseMs }),
  leaseMs,
  seconds: 12,
  faults: ['zombie'],
  checks: ['I1', 'I2', 'I3', 'I4', 'I5', 'I8', 'I10', 'I11', 'I15'],
  async disturb(stage) {
    while (stage.lasts) {
      await stage.pause(100, 600)
      await stop(stage, stage.random.pick(stage.all('consumer')))
    }
  },
}

async function stop(stage, consumer) {
  await stage.fault('zombie', { on: consumer.process, loses: [] }, async () => {
    if (!(await stage.within(5_000, consumer.call('hold')))) return false
    consumer.pause()
    await stage.pause(leaseMs + 700, leaseMs + 2_000)
    consumer.goOn()
    const { lapsed = 0 } = await consumer.call('goOn')
    return lapsed > 0
  })
}
