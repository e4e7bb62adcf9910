import { setTimeout as pause } from 'node:timers/promises'

/**
 * An engine whose memberships write down their verdicts, for who uses it through a face that shows no leases. `leases` has by place what
 * a delivery is known by; the handler looks there for what it writes down as delivered.
 */
export function watched(engine, recorder) {
  const leases = new Map()
  const join = async (request) => {
    const { topic, group, member } = request
    const revoke = async (partitions, signal) => {
      await request.revoke(partitions, signal)
      if (!signal.aborted) recorder.record('member', { topic, group, member, what: 'revoked', partitions: [...partitions] })
    }
    const membership = await engine.join({ ...request, revoke })
    return {
      async lease(ask) {
        const asked = recorder.now()
        const leased = await membership.lease(ask)
        for (const { message: { partition, offset }, epoch, attempt } of leased) leases.set(`${partition}/${offset}`, { group, member, epoch, attempt, asked })
        return leased
      },
      settle: (verdicts) => settle(membership, recorder, { group, member }, verdicts),
      async leave() {
        recorder.record('member', { topic, group, member, what: 'leaving' })
        await membership.leave()
      },
    }
  }
  const seen = new Proxy(engine, {
    get(target, name) {
      if (name === 'join') return join
      const value = target[name]
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { engine: seen, leases }
}

/** Gives verdicts, and writes down what was asked and answered. */
export async function settle(membership, recorder, about, verdicts) {
  if (verdicts.length === 0) return []
  const calls = recorder.together(() => verdicts.map((verdict) => recorder.invoke('settle', { ...about, ...placeOf(verdict.delivery), ...wordOf(verdict) })))
  let outcomes
  try {
    outcomes = await membership.settle(verdicts)
  } catch (error) {
    const isRefused = error.code === 'STORE_FULL'
    recorder.together(() => calls.forEach((call) => (isRefused ? call.fail(error) : call.info(error))))
    if (!isRefused) throw error
    // Nothing was stored, and there will be room again: the verdicts stand.
    await pause(50)
    return settle(membership, recorder, about, verdicts)
  }
  recorder.together(() => outcomes.forEach((outcome, index) => {
    if (outcome === 'settled') calls[index].ok()
    else if (outcome === 'lapsed') calls[index].fail(outcome)
    else calls[index].info(outcome)
  }))
  return outcomes
}

export function placeOf({ message: { topic, id, partition, offset }, epoch }) {
  return { topic, id, partition, offset: String(offset), epoch }
}

function wordOf({ is, hold }) {
  if (is !== 'hold') return { is }
  return hold.why === 'retry' ? { is: 'retry', until: hold.until } : { is: 'dead' }
}
