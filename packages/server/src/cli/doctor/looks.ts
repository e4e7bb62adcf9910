import { setTimeout as sleep } from 'node:timers/promises'
import type { Asker } from '../client.js'
import { type QueueLook, wantsSecond } from './queue.js'
import { survey } from './survey.js'

export type TwoLooks = Omit<QueueLook, 'inUse'>

/** Between two looks at the lags. */
const betweenMs = 1_000

export async function lookTwice(asker: Asker): Promise<TwoLooks> {
  const now = Date.now()
  const first = await survey(asker)
  if (!wantsSecond(first)) return { now, first, second: first }
  await sleep(betweenMs)
  return { now, first, second: await survey(asker) }
}
