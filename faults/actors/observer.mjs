import { topicConfig } from 'millrace/engine'
import { setTimeout as pause } from 'node:timers/promises'
import { sumOf } from './sending.mjs'

/** Makes the topics of a run, and says at its end what is in the store. Holds nothing up, consumes nothing, keeps nothing. */
export async function play(part) {
  const engine = await part.adapter.open(part)
  return {
    create: (scene) => create(part, engine, scene),
    drained: (topics, withinMs) => drained(part, engine, topics, withinMs),
    rest: (topics, drain) => rest(part, engine, topics, drain),
    census: () => engine.census(),
    end: () => engine.close(),
  }
}

async function create({ recorder, adapter, settings }, engine, { topics, groups }) {
  for (const { name, partitions, ...more } of topics) {
    recorder.record('topic', { topic: name, survives: adapter.survives(settings), unconfirmed: adapter.survivesUnconfirmed?.(settings) })
    await engine.topics.create(topicConfig({ name, partitions, keep: {}, ...adapter.topic?.(settings), ...more }))
  }
  for (const { topic, group, from = 'start', mode = 'share' } of groups) {
    recorder.record('group', { topic, group, mode, from })
    await engine.groups.create(topic, group, from)
  }
}

/** Waits until nothing is left to do: `{ elapsedMs, left }`, `elapsedMs` null when the time is over. */
async function drained(_, engine, topics, withinMs) {
  const began = performance.now()
  for (;;) {
    const { topics: censuses } = await engine.census()
    const left = censuses.filter(({ topic }) => topics.includes(topic)).map(leftOf)
    const elapsedMs = Math.round(performance.now() - began)
    if (left.every((counts) => Object.keys(counts).length === 0)) return { elapsedMs, withinMs, left: [] }
    if (elapsedMs > withinMs) return { elapsedMs: null, withinMs, left }
    await pause(100)
  }
}

function leftOf({ delayed, prepared, groups }) {
  const counts = Object.entries({ delayed, prepared })
  for (const group of groups) for (const what of ['ready', 'leased', 'retrying', 'lent', 'parked']) counts.push([`${group.group} ${what}`, group[what]])
  return Object.fromEntries(counts.filter(([, count]) => count > 0))
}

/** `drain` as `drained` answers it, or nothing when nobody waited. */
async function rest({ recorder }, engine, topics, drain) {
  const { topics: censuses } = await engine.census()
  const write = (of, fields = {}) => recorder.record('rest', { of, ...fields })
  write('begin')
  for (const topic of topics) {
    let stored = 0
    for await (const items of pages((cursor) => engine.browse({ topic, from: 'start', limit: 1_000, ...cursor }))) {
      for (const partition of new Set(items.map((item) => item.partition))) {
        const messages = items.filter((item) => item.partition === partition).map(({ id, offset, value }) => ({ id, offset: String(offset), sum: sumOf(value) }))
        write('stored', { topic, partition, messages })
        stored += messages.length
      }
    }
    const { published, groups } = censuses.find((each) => each.topic === topic)
    const counts = groups.map(({ group, ready, leased, retrying, lent, parked, dead, settled, purged }) => ({ group, ready, leased, retrying, lent, parked, dead, settled, purged }))
    // Where the census goes by places in the log, not all of which are messages, they are counted: these topics keep everything.
    write('census', { topic, published: engine.traits.census === 'exact' ? published : stored, groups: counts })
    for await (const items of pages((cursor) => engine.holds({ topic, limit: 1_000, ...cursor }))) {
      for (const { hold, message } of items) {
        const held = { id: message.id, until: hold.until, ...(hold.failure ? { kind: hold.failure.kind } : {}) }
        write('held', { topic, ...(hold.group ? { group: hold.group } : {}), why: hold.why, messages: [held] })
      }
    }
  }
  if (drain) write('drained', { elapsedMs: drain.elapsedMs, withinMs: drain.withinMs })
  write('end')
}

async function* pages(read) {
  let cursor
  do {
    const page = await read(cursor === undefined ? {} : { cursor })
    yield page.items
    ;({ cursor } = page)
  } while (cursor !== undefined)
}
