// Looks at stores, one after another, as users do: reads all there is, consumes all there is. What it sees it sends, step by step, so that
// what was seen before an error, or before the process died, can be compared.
import { createHash } from 'node:crypto'
import { embedded } from 'millrace/embedded'
import { guard } from 'millrace/engine'

const topic = 'orders'
const topicsOf = ({ topics }) => topics.map(({ groups, ...counts }) => ({ ...counts, groups: groups.map(({ members, oldest, ...group }) => group) }))

const steps = [
  ['topics', (engine) => engine.topics.list()],
  ['census', async (engine) => topicsOf(await engine.census())],
  ['log', (engine) => all((cursor) => engine.browse({ topic, from: 'start', limit: 1_000, ...cursor }), plain)],
  ['held', (engine) => all((cursor) => engine.holds({ topic, limit: 1_000, ...cursor }), ({ message, ...held }) => ({ ...held, message: plain(message) }))],
  ['places of a', (engine) => engine.groups.positions(topic, 'a').then(places)],
  ['places of b', (engine) => engine.groups.positions(topic, 'b').then(places)],
  ['what a gets', (engine) => consumed(engine, 'a')],
  ['what dead letters become', (engine) => redriven(engine)],
  ['census at the end', async (engine) => topicsOf(await engine.census())],
]

process.on('message', (path) => void look(path))

async function look(path) {
  const engine = guard(embedded({ path, lmdb: import.meta.resolve('lmdb'), durability: 'os' }))
  try {
    await engine.open()
    process.send({ step: 'open' })
    for (const [step, see] of steps) process.send({ step, sum: sumOf(JSON.stringify(await see(engine), (_, value) => (typeof value === 'bigint' ? String(value) : value))) })
    process.send({ end: true })
  } catch (error) {
    process.send({ end: true, error: { code: error.code ?? error.name, message: error.message } })
  }
  await engine.close().catch(() => undefined)
  process.send({ closed: true })
}

async function all(read, of) {
  const found = []
  let cursor
  do {
    const page = await read(cursor === undefined ? {} : { cursor })
    found.push(...page.items.map(of))
    ;({ cursor } = page)
  } while (cursor !== undefined)
  return found
}

function plain({ value, headers, ...message }) {
  return { ...message, sum: sumOf(value), headers: headers.map(([name, bytes]) => [name, sumOf(bytes)]) }
}

function places(positions) {
  return positions.map(({ partition, watermark, end, lag }) => ({ partition, watermark, end, lag }))
}

async function consumed(engine, group) {
  const membership = await engine.join({ topic, group, member: 'second', mode: 'share', from: 'start', leaseMs: 60_000, stallMs: 60_000, drainMs: 1_000, maxDeliveries: 3, park: false, revoke: async () => undefined })
  const found = []
  for (;;) {
    const leased = await membership.lease({ max: 1_000, waitMs: 0 })
    if (leased.length === 0) break
    found.push(...leased.map(({ message, attempt, alone }) => ({ ...plain(message), attempt, alone })))
    await membership.settle(leased.map((delivery) => ({ delivery, is: 'done' })))
  }
  await membership.leave()
  return found
}

async function redriven(engine) {
  const { items } = await engine.holds({ topic, group: 'a', why: 'dead', limit: 1_000 })
  const decided = await engine.decide(items.map(({ id }) => ({ hold: id, to: 'release' })))
  return [decided, await consumed(engine, 'a')]
}

function sumOf(bytes) {
  return bytes === null ? null : createHash('sha1').update(bytes).digest('base64').slice(0, 12)
}
