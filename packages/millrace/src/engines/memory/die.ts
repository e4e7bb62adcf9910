import type { Engine } from '../../engine/engine.js'

const deaths = new WeakMap<Engine, () => void>()

export function rememberDeath(engine: Engine, death: () => void): void {
  deaths.set(engine, death)
}

/**
 * For tests: the engine falls silent as if its process had been killed. Its members beat no more, its keepers keep no
 * more, its waiting calls end with nothing; what it stored stays, and others find its members dead after their lease.
 * Takes what `memory()` gave, not the guard around it.
 */
export function die(engine: Engine): void {
  const death = deaths.get(engine)
  if (death === undefined) throw new TypeError(`engine ${engine.name} is not a memory engine`)
  death()
}
