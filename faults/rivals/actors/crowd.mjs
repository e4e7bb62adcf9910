import { playCrowd } from '../../actors/crowd.mjs'
import { play as consumer } from './consumer.mjs'

/** Many members in one process: each with a client of its own, or on one where a rival says that they are `shared`. */
export async function play(part) {
  const { rival } = part.adapter
  if (!rival.isShared) return playCrowd({ part, shared: part, consumer, close: () => undefined })
  const client = await rival.open(part)
  const open = () => ({ ...client, close: () => undefined })
  const shared = { ...part, adapter: { ...part.adapter, rival: { ...rival, open } } }
  return playCrowd({ part, shared, consumer, close: () => client.close() })
}
