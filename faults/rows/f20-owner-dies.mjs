import { everyday } from './scenes.mjs'

const places = ['preparing', 'prepared', 'deciding']

/** The owner of a transaction dies as it prepares, between that and its decision, or as it decides. What is left its checker decides, of the same database. */
export const ownerDies = {
  id: 'F20',
  title: "a transaction's owner dies before, between and in its calls",
  scene: everyday({ producer: { prepared: 0.3, batch: 6 } }),
  faults: places.map((place) => `dies ${place}`),
  checks: ['I1', 'I2', 'I4', 'I5', 'I7', 'I8', 'I10', 'I11', 'I15'],
  async disturb(stage) {
    for (let turn = 0; stage.lasts || turn < places.length; turn += 1) {
      await stage.pause(50, 300)
      await die(stage, stage.random.pick(stage.all('producer')), places[turn % places.length])
    }
  },
}

async function die(stage, producer, place) {
  await stage.fault(`dies ${place}`, { on: producer.process }, async () => {
    producer.expectEnd()
    await producer.call('die', place)
    const { signal } = await producer.exited
    await stage.pause(0, 400)
    await producer.start()
    return signal === 'SIGKILL'
  })
}
