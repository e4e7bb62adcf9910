const [topic, partitions] = ['orders', 6]
const leaseMs = 6_000
const everyMs = 200
const crowds = 2
/** Progress is looked at so often, and must have been made. */
const lookMs = 5_000

/**
 * Twenty members of a group, of whom every 200 ms one joins or leaves, as fast as the engine lets them. All of it is clean, so that nothing may come again for it; work goes
 * on meanwhile.
 */
export const storm = {
  id: 'F16',
  title: 'members join and leave all the time',
  leaseMs,
  seconds: 20,
  scene: {
    topics: [{ name: topic, partitions }],
    groups: [{ topic, group: 'a' }],
    parts: [
      { name: 'producer', role: 'producer', options: { topic, partitions } },
      ...Array.from({ length: crowds }, (_, index) => ({
        name: `crowd-${index + 1}`, role: 'crowd', options: { members: 20 / crowds, everyMs: everyMs * crowds, member: { topic, group: 'a', leaseMs, max: 32, workMs: 8 } },
      })),
    ],
  },
  faults: ['storm'],
  checks: ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I8', 'I10', 'I11', 'I15'],
  // What falls due while its partition is on its way waits for who gets it.
  options: { lateMs: leaseMs },
  async disturb(stage) {
    await stage.fault('storm', { on: 'a', loses: [], excuses: false }, async () => {
      const counts = { joins: 0, leaves: 0, settled: 0 }
      while (stage.lasts) {
        await stage.pause(Math.min(stage.leftMs, lookMs))
        const told = await Promise.all(stage.all('crowd').map((crowd) => crowd.call('count')))
        const settled = told.reduce((sum, each) => sum + each.settled, 0)
        if (settled === counts.settled) stage.troubles.push(`nothing was done for ${lookMs} ms`)
        Object.assign(counts, { settled, joins: total(told, 'joins'), leaves: total(told, 'leaves') })
      }
      stage.notes.push(`${counts.joins} joined and ${counts.leaves} left in ${stage.seconds} s, and ${counts.settled} messages were done meanwhile`)
      return counts.leaves > stage.seconds / 2
    })
  },
}

function total(counts, name) {
  return counts.reduce((sum, each) => sum + each[name], 0)
}
