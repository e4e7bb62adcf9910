/** Who owns what, as a member sees it in the store. */
export interface Assignment {
  /** Members that live, in any order. */
  readonly members: readonly string[]
  /** For each partition its living owner, or null. */
  readonly owners: readonly (string | null)[]
}

export interface Move {
  /** Free partitions to claim now, by compare-and-set on their epoch. */
  readonly claim: readonly number[]
  /** Partitions of mine to drain and let go. */
  readonly drain: readonly number[]
}

/**
 * What one member does next. Pure, and the same for every member that sees the same store, so no leader is needed:
 * claims go up to a fair share, and only what is above it is drained. Sticky: who owns most keeps the larger shares,
 * so that a stable group moves nothing.
 */
export function assign(me: string, { members, owners }: Assignment): Move {
  const held = new Map(members.map((member) => [member, 0]))
  for (const owner of owners) if (owner !== null && held.has(owner)) held.set(owner, (held.get(owner) ?? 0) + 1)
  if (!held.has(me)) return { claim: [], drain: [] }

  const share = fairShare(me, held, owners.length)
  const mine = indexes(owners, (owner) => owner === me)
  if (mine.length > share) return { claim: [], drain: mine.slice(share) }
  const free = indexes(owners, (owner) => owner === null || !held.has(owner))
  return { claim: free.slice(0, share - mine.length), drain: [] }
}

function fairShare(me: string, held: ReadonlyMap<string, number>, partitions: number): number {
  const byHeld = [...held].sort(([one, ones], [other, others]) => others - ones || (one < other ? -1 : 1))
  const rank = byHeld.findIndex(([member]) => member === me)
  return Math.floor(partitions / held.size) + (rank < partitions % held.size ? 1 : 0)
}

function indexes(owners: readonly (string | null)[], wanted: (owner: string | null) => boolean): number[] {
  return owners.flatMap((owner, partition) => (wanted(owner) ? [partition] : []))
}
