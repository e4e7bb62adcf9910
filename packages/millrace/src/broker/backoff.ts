import { limits, type Millis } from '../core/index.js'

/** The wait before the next try of what the engine failed so many times in a row: from half of the doubled wait to the whole. */
export function backoffMs(failures: number, random: () => number): Millis {
  const whole = Math.min(limits.engineBackoffMs * 2 ** Math.min(failures - 1, 20), limits.maxEngineBackoffMs)
  return whole / 2 + (whole / 2) * random()
}
