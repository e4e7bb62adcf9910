import { setTimeout as pause } from 'node:timers/promises'
import { decide } from './sending.mjs'

/** Looks through the dead letters of a topic now and then: sends most of them again, drops some. Options: `topic`, `groups`, `everyMs`. */
export async function play(part) {
  const engine = await part.adapter.open(part)
  const { topic, groups, everyMs = 400 } = part.options
  let isResting = false
  const work = (async () => {
    while (!isResting) {
      for (const group of groups) await sweep(part, engine, topic, group).catch((error) => trouble(part, error))
      await pause(part.random.between(everyMs / 2, everyMs))
    }
  })()
  return {
    rest: () => {
      isResting = true
      return work
    },
    end: () => engine.close(),
  }
}

async function sweep({ recorder, random }, engine, topic, group) {
  const { items } = await engine.holds({ topic, group, why: 'dead', limit: 50 })
  const entries = items.map(({ id, message }) => {
    const op = random.chance(0.8) ? 'redrive' : 'purge'
    return { op, facts: { topic, group, id: message.id }, decision: { hold: id, to: op === 'redrive' ? 'release' : 'drop' } }
  })
  if (entries.length > 0) await decide({ engine, recorder }, entries)
}

/** What cannot be looked through now may be later. */
function trouble({ say }, error) {
  say('trouble', { code: error.code ?? error.name, message: error.message })
  if (error.code === 'CLOSED' || error.code === 'ENGINE_FAILED') throw error
}
