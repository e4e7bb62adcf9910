import type { Subscription } from './subscription.js'

/**
 * Who has which partitions after a rebalance. Members keep what they have as far as all get about the same number; what moves from one
 * living member to another is given to nobody yet, so that its owner can finish it, hand it back and call the next rebalance.
 * `turn` is any number: which ones move depends on it, so that where members come and go all the time it is not always the same one.
 */
export function shareOut(members: readonly Subscription[], partitions: readonly number[], turn = 0): ReadonlyMap<string, readonly number[]> {
  const owners = ownersOf(members, new Set(partitions))
  const shares = new Map(members.map(({ member }) => [member, [] as number[]]))
  const held = new Map(members.map(({ member }) => [member, partitions.filter((partition) => owners.get(partition) === member)]))
  const most = members.map(({ member }) => member).sort((a, b) => (held.get(b)?.length ?? 0) - (held.get(a)?.length ?? 0) || (a < b ? -1 : 1))
  const base = Math.floor(partitions.length / members.length)
  const bigger = partitions.length % members.length
  const quota = new Map(most.map((member, index) => [member, base + (index < bigger ? 1 : 0)]))
  const left: number[] = []
  for (const [member, all] of held) {
    const keeps = quota.get(member) ?? 0
    const first = all.length === 0 ? 0 : turn % all.length
    const has = [...all.slice(first), ...all.slice(0, first)]
    shares.set(member, has.slice(0, keeps))
    left.push(...has.slice(keeps))
  }
  left.push(...partitions.filter((partition) => !owners.has(partition)))
  for (const partition of left.sort((a, b) => a - b)) {
    const next = most.find((member) => (shares.get(member)?.length ?? 0) < (quota.get(member) ?? 0))
    if (next === undefined) break
    shares.get(next)?.push(partition)
  }
  return new Map([...shares].map(([member, has]) => [member, has.filter((partition) => (owners.get(partition) ?? member) === member).sort((a, b) => a - b)]))
}

/** A partition that two members claim belongs to the one of the later generation; of one generation, to neither. */
function ownersOf(members: readonly Subscription[], partitions: ReadonlySet<number>): ReadonlyMap<number, string> {
  const claims = new Map<number, { member: string | undefined; generation: number }>()
  for (const { member, owned, generation } of members) {
    for (const partition of owned) {
      if (!partitions.has(partition)) continue
      const other = claims.get(partition)
      if (other === undefined || generation > other.generation) claims.set(partition, { member, generation })
      else if (generation === other.generation) claims.set(partition, { member: undefined, generation })
    }
  }
  return new Map([...claims].flatMap(([partition, { member }]) => (member === undefined ? [] : [[partition, member] as const])))
}
