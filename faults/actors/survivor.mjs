import { play as consumer } from './consumer.mjs'
import { play as observer } from './observer.mjs'
import { play as producer } from './producer.mjs'
import { sharing } from './shared.mjs'

/**
 * Everybody who is there after a disaster, in one process: opens what is left of a store, consumes what there is, answers for the transactions of
 * the producers that are gone, and writes down what the store holds when nothing is left to do.
 *
 * Options: `topics`, `consumers` and `producers` (`{ name, options }` as in a scene); `withinMs` for coming to rest. Without consumers and producers it only looks.
 * What goes wrong is an answer, `{ failed }`: its error, or EMPTY when the topics are not there.
 */
export async function play(part) {
  const { topics, consumers = [], producers = [], withinMs } = part.options
  let engine
  let shared
  let observing
  const failing = async (work) => {
    try {
      return await work()
    } catch (error) {
      return { failed: { code: error.code ?? error.name, message: error.message } }
    }
  }
  const opening = await failing(async () => {
    ;({ engine, shared } = await sharing(part))
    observing = await observer(shared)
  })
  return {
    look: () => failing(async () => {
      if (opening) return opening
      const census = await observing.census()
      const gone = topics.find((name) => !census.topics.some(({ topic }) => topic === name))
      if (gone !== undefined) return { failed: { code: 'EMPTY', message: `there is no topic ${gone}` } }
      const others = await Promise.all([
        ...consumers.map(({ name, options }) => consumer({ ...shared, name, process: `${part.process}-${name}`, options })),
        ...producers.map(({ name, options }) => producer({ ...shared, name, generation: 2, options: { ...options, limit: 0 } })),
      ])
      const drain = others.length === 0 ? undefined : await observing.drained(topics, withinMs)
      for (const other of others) await other.end()
      await observing.rest(topics, drain)
      return { drain }
    }),
    end: () => engine?.close(),
  }
}
