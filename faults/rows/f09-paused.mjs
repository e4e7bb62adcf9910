import { everyday } from './scenes.mjs'

/**
 * Processes are stopped for 2 to 4 s, whatever they are doing, one or two at a time. One that is stopped inside a commit holds up all that write,
 * until it goes on: a limit that the engine's page names; nothing may be lost by it, and all must go on after it.
 */
export const paused = {
  id: 'F9',
  title: 'processes are stopped for 2 to 4 s at any moment',
  scene: everyday({ producer: { pauseMs: 10 } }),
  faults: ['pause'],
  checks: ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I10', 'I11', 'I15'],
  async disturb(stage) {
    const everybody = [...stage.all('producer'), ...stage.all('consumer'), ...stage.all('operator')]
    while (stage.lasts) {
      await stage.pause(100, 800)
      const first = stage.random.pick(everybody)
      const others = everybody.filter((each) => each !== first)
      await Promise.all([first, ...(stage.random.chance(0.4) ? [stage.random.pick(others)] : [])].map((actor) => stop(stage, actor)))
    }
  },
}

function stop(stage, actor) {
  return stage.fault('pause', { on: actor.process, loses: [] }, async () => {
    const isStopped = actor.pause()
    await stage.pause(2_000, 4_000)
    actor.goOn()
    return isStopped
  })
}
