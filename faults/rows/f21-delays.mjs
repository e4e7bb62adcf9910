const [topic, partitions] = ['orders', 8]
const leaseMs = 1_000
const consumer = (number) => ({ name: `a-${number}`, role: 'consumer', options: { topic, group: 'a', leaseMs, max: 200, workMs: 0, retry: 0, dead: 0, back: 0 } })

/** As many as a run of this length can carry: a hundred thousand in ten seconds. */
const inOneSecond = (seconds) => Math.min(100_000, Math.round(seconds * 10_000))

/** A hundred thousand delayed messages fall due within one second, and in the middle of it every process is killed. */
export const delayStorm = {
  id: 'F21',
  title: '100,000 delays are due in one second, and everybody is killed then',
  leaseMs,
  scene: {
    topics: [{ name: topic, partitions }],
    groups: [{ topic, group: 'a' }],
    parts: [{ name: 'producer', role: 'producer', options: { topic, partitions, keys: 2_000, limit: 0, dedup: false } }, ...[1, 2, 3].map(consumer)],
  },
  faults: ['kill all'],
  checks: ['I1', 'I2', 'I4', 'I5', 'I6', 'I8', 'I10', 'I13', 'I15'],
  async disturb(stage) {
    const count = inOneSecond(stage.seconds)
    const dueFrom = Date.now() + 2_000 + count / 10
    stage.progress(`${count} delays are sent`)
    const began = performance.now()
    await stage.actor('producer').call('schedule', count, dueFrom, 1_000)
    // The last of them comes when all others have been handled, which takes longer than sending them did; both go by how busy the machine is.
    const sentMs = Math.round(performance.now() - began)
    stage.options = { lateMs: 2_000 + 3 * sentMs }
    stage.notes.push(`${count} delays were sent in ${sentMs} ms; after the kill the last may come ${stage.options.lateMs} ms late`)
    const leftMs = dueFrom - Date.now()
    if (leftMs < 0) stage.troubles.push(`sending ${count} delays took ${-leftMs} ms too long`)
    await stage.pause(leftMs + 200, leftMs + 700)
    await killAll(stage)
  },
}

async function killAll(stage) {
  const everybody = [...stage.all('producer'), ...stage.all('consumer')]
  await stage.fault('kill all', { on: 'all' }, async () => {
    const killed = await Promise.all(everybody.map((actor) => actor.kill()))
    await stage.pause(100, 300)
    await Promise.all(everybody.map((actor) => actor.start()))
    return killed.every(Boolean)
  })
}
