const [topic, partitions] = ['orders', 6]
const leaseMs = 1_000
const attempts = 3
const handler = (number) => ({ name: `a-${number}`, role: 'handler', revive: true, options: { topic, group: 'a', leaseMs, attempts } })

/**
 * Of the messages 1 % are poison to their handler: it throws, it ends its process, or it never returns. Each has its three
 * deliveries and becomes a dead letter; the others are done, whoever died beside them. Consumed through `mill.consume`.
 */
export const poison = {
  id: 'F15',
  title: 'messages whose handler throws, ends its process, or never returns',
  leaseMs,
  scene: {
    topics: [{ name: topic, partitions }],
    groups: [{ topic, group: 'a' }],
    parts: [
      { name: 'producer', role: 'producer', options: { topic, partitions, keys: 60, delayed: 0.02, prepared: 0, batch: 8, poison: { share: 0.01, how: ['throws', 'exits', 'hangs'], attempts } } },
      ...[1, 2, 3].map(handler),
    ],
  },
  faults: ['exit'],
  checks: ['I1', 'I2', 'I3', 'I4', 'I5', 'I8', 'I9', 'I10', 'I11', 'I15'],
  async disturb(stage) {
    await stage.pause(stage.leftMs)
  },
}
