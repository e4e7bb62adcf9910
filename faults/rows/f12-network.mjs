import { everyday } from './scenes.mjs'
import { noServer } from './servers.mjs'

/** How long a call may take whatever the network does: a client's time for an answer, and once more. */
const hangMs = 60_000
/** How long somebody may wait on a connection that has fallen silent. */
const silentMs = 30_000

/**
 * The network between the engine and its server is cut, resets connections, is slow, or half open: what is said gets lost and nobody is told, in both directions or on
 * the way back only. Some connections that fell silent stay so, and whoever has one must find out by itself.
 */
export const network = {
  id: 'F12',
  title: 'the network is cut, reset, slow, half open',
  scene: everyday({ leaseMs: 4_000, producer: { pauseMs: 30 } }),
  leaseMs: 4_000,
  seconds: 40,
  drainMs: 90_000,
  isProxied: true,
  hangMs,
  faults: ['cut', 'reset', 'slow', 'half open', 'mute'],
  checks: ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I10', 'I11', 'I15'],
  cannot: noServer,
  async disturb(stage) {
    const kinds = Object.keys(spoils)
    for (let turn = 0; stage.lasts || turn < kinds.length; turn += 1) {
      await stage.pause(1_000, 3_000)
      const { name, proxy } = stage.random.pick(stage.server.nodes)
      const kind = kinds[turn % kinds.length]
      await stage.fault(kind, { on: name, loses: [] }, () => spoils[kind](stage, proxy))
    }
    await stage.pause(1_000)
  },
}

/** Each breaks it and mends it, and answers whether there was anything to break. */
const spoils = {
  async cut(stage, proxy) {
    const count = proxy.cut()
    await stage.pause(500, 5_000)
    proxy.mend()
    return count > 0
  },
  reset: (_, proxy) => proxy.reset() > 0,
  async slow(stage, proxy) {
    const count = proxy.links.length
    proxy.set({ delayMs: stage.random.between(20, 200), bytesPerSecond: 2 ** stage.random.between(16, 19) })
    await stage.pause(2_000, 5_000)
    proxy.mend()
    return count > 0
  },
  'half open': (stage, proxy) => silence(stage, proxy, { isDeaf: true, isMute: true }),
  mute: (stage, proxy) => silence(stage, proxy, { isMute: true }),
}

/** The connections that fell silent stay so. Whoever has asked something on one gives it up; those on which nobody asks anything hang nobody. */
async function silence(stage, proxy, weather) {
  const count = proxy.links.length
  proxy.set(weather)
  await stage.pause(1_000, 4_000)
  const silent = proxy.links
  proxy.mend({ isForAll: false })
  const began = performance.now()
  const waitMs = () => performance.now() - began
  while (silent.some(({ isWaitedFor }) => isWaitedFor) && waitMs() < silentMs) await stage.pause(100)
  const left = silent.filter(({ isWaitedFor }) => isWaitedFor).length
  if (left > 0) stage.troubles.push(`on ${left} of ${silent.length} connections that fell silent somebody still waits after ${silentMs} ms`)
  else stage.notes.push(`of ${silent.length} connections that fell silent the last that somebody waited on was given up after ${Math.round(waitMs())} ms`)
  for (const link of silent) link.reset()
  return count > 0
}
