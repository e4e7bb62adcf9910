import { delayCases } from '../delay-run.mjs'

// How punctual is a delayed message when a million others wait, and what do those cost?

/** @param {import('../main.mjs').Asked} asked */
export async function ask({ progress }) {
  const embedded = await delayCases('embedded', { progress })
  const memory = await delayCases('memory', { progress, prefix: 'memory-' })
  return { cases: [...embedded, ...memory], notes: ['measured once: a million sends are no round'] }
}
