import type { Hold } from '../../core/hold.js'

/** When a message that nobody has seen ripens, as scripts take it: due or nothing, whom it asks or nothing, when it is parked or nothing. */
export function timesOf({ until, then }: Pick<Hold, 'until' | 'then'>): readonly [due: string, asks: string, parks: string] {
  if (until === 'decided') return ['', '', '']
  if (then === 'release') return [String(until), '', '']
  return [String(until), then.ask, String(then.checks > 0 ? then.parkAt : Math.min(until, then.parkAt))]
}

/** Whom it asks, as the times of it were put. */
export function askedBy({ until, then }: Pick<Hold, 'until' | 'then'>): string {
  return until === 'decided' || then === 'release' ? '' : then.ask
}
