import { play as consumer } from './consumer.mjs'
import { play as observer } from './observer.mjs'
import { play as operator } from './operator.mjs'
import { play as producer } from './producer.mjs'
import { sharing } from './shared.mjs'

const roles = { consumer, operator, producer }

/**
 * A whole little run in one process: makes the topics, plays every part, waits until nothing is left to do, and ends.
 *
 * Options: `scene` as a row has it, its producers with a `limit`; `withinMs` for coming to rest.
 */
export async function play(part) {
  const { scene, withinMs } = part.options
  const playing = async () => {
    const { engine, shared } = await sharing(part)
    const observing = await observer(shared)
    await observing.create(scene)
    const others = await Promise.all(scene.parts.map(({ name, role, options }) => roles[role]({ ...shared, name, process: `${part.process}-${name}`, options })))
    for (const other of others) await other.rest?.()
    await observing.drained(scene.topics.map(({ name }) => name), withinMs)
    for (const other of others) await other.end()
    await engine.close()
  }
  return { play: playing, end: () => undefined }
}
