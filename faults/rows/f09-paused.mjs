import { everyday } from './scenes.mjs'

/**
 * Processes are stopped for 2 to 4 s, whatever they are doing, one or two at a time. One that is stopped inside a commit holds up all that write,
 * until it goes on: a limit that the engine's page names; nothing may be lost by it, and all must go on after it. An engine's server is stopped
 * too, every other time, for 2 s up to half the run, at most 30 s.
 */
export const paused = {
  id: 'F9',
  title: 'processes, and the server, are stopped at any moment',
  scene: everyday({ producer: { pauseMs: 10 } }),
  faults: ({ server }) => (server ? ['pause', 'server paused'] : ['pause']),
  checks: ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I10', 'I11', 'I15'],
  async disturb(stage) {
    const everybody = [...stage.all('producer'), ...stage.all('consumer'), ...stage.all('operator')]
    for (let turn = 0; stage.lasts; turn += 1) {
      await stage.pause(100, 800)
      if (stage.server && turn % 2 === 0) await stopServer(stage)
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

function stopServer(stage) {
  const node = stage.random.pick(stage.server.nodes)
  return stage.fault('server paused', { on: node.name, loses: [] }, async () => {
    node.pause()
    await stage.pause(2_000, Math.max(2_000, Math.min(30_000, stage.seconds * 500)))
    node.resume()
  })
}
