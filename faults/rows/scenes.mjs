/**
 * What most rows disturb: two producers, an operator, and two groups; `a` has as many members as `consumers` says, `b` two, and keeps the order of
 * a key through retries. The members keep up with the producers easily, so that what is late is late because of a fault.
 */
export function everyday({ leaseMs = 2_000, producer = {}, consumer = {}, consumers = 3, revive = false } = {}) {
  const [topic, partitions] = ['orders', 6]
  const member = (group, number, more) => ({ name: `${group}-${number}`, role: 'consumer', revive, options: { topic, group, leaseMs, ...more, ...consumer } })
  return {
    topics: [{ name: topic, partitions }],
    groups: [{ topic, group: 'a' }, { topic, group: 'b' }],
    parts: [
      { name: 'producer-1', role: 'producer', options: { topic, partitions, ...producer } },
      { name: 'producer-2', role: 'producer', options: { topic, partitions, ...producer } },
      ...Array.from({ length: consumers }, (_, index) => member('a', index + 1)),
      ...[1, 2].map((number) => member('b', number, { park: true })),
      { name: 'operator', role: 'operator', options: { topic, groups: ['a', 'b'] } },
    ],
  }
}
