const [topic, partitions] = ['orders', 6]
const kills = 8

/**
 * The server dies by SIGKILL five times and more while clients send, pull and answer over HTTP; they come again as soon as it is back, and repeat what
 * had no answer. The member through which it lent is dead for as long as its lease: ten seconds after a kill nothing is late.
 */
export const serverKilled = {
  id: 'F3',
  title: 'the server is killed 5 to 10 times under HTTP clients',
  leaseMs: 10_000,
  drainMs: 60_000,
  scene: {
    topics: [{ name: topic, partitions }],
    groups: [{ topic, group: 'a' }, { topic, group: 'b' }],
    parts: [
      { name: 'server', role: 'server' },
      ...[1, 2].map((number) => ({ name: `producer-${number}`, role: 'http-producer', options: { topic, partitions } })),
      ...['a-1', 'a-2', 'b-1'].map((name) => ({ name, role: 'http-consumer', options: { topic, group: name[0] } })),
    ],
  },
  cannot: ({ name, path, lends }) => (path || lends ? undefined : `millrace serve has no engine ${name}`),
  faults: ['kill'],
  checks: ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I10', 'I11', 'I13', 'I15'],
  async disturb(stage) {
    const betweenMs = (stage.seconds * 1_000) / kills
    await stage.pause(800)
    for (let count = 0; count < kills && (stage.lasts || count < 5); count += 1) {
      await stage.killAndStart(stage.actor('server'), 'kill', [0, 300])
      await stage.pause(betweenMs / 4, betweenMs)
    }
  },
}
