import { everyday } from './scenes.mjs'

/** Consumers die by SIGKILL: most inside their handler, with some verdicts given, some under way and some not; some at any moment. */
export const consumerKilled = {
  id: 'F2',
  title: 'a consumer is killed with messages in its hands',
  scene: everyday(),
  faults: ['kill in handler'],
  checks: ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I10', 'I11', 'I13', 'I15'],
  async disturb(stage) {
    for (let turn = 0; stage.lasts; turn += 1) {
      await stage.pause(...(stage.row.everyMs ?? [100, 500]))
      const consumer = stage.random.pick(stage.all('consumer'))
      if (turn > 0 && stage.random.chance(0.3)) await stage.killAndStart(consumer, 'kill')
      else await killInHandler(stage, consumer)
    }
  },
}

async function killInHandler(stage, consumer) {
  await stage.fault('kill in handler', { on: consumer.process }, async () => {
    consumer.expectEnd()
    await consumer.call('die')
    // One that has nothing to handle is killed as it waits, which is another fault.
    const timer = setTimeout(() => consumer.kill(), 3_000)
    const ended = await Promise.race([consumer.exited.then(() => true), stage.pause(3_000).then(() => false)])
    clearTimeout(timer)
    await consumer.exited
    await stage.pause(0, 800)
    await consumer.start()
    return ended
  })
}
