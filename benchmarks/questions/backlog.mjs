import { embedded } from 'millrace/embedded'
import { runRounds } from '../rounds.mjs'
import { batchSize, blobs, drain, itemsOf, keptTopic, millOf, rate, scratch, sendBatches } from '../workload.mjs'

// Does a message cost more when many lie behind it, when many groups are idle, when many delays are pending?

const slice = itemsOf(blobs(200, 200_000))
const hour = 3_600_000
const kept = keptTopic()

/** @typedef {{ mill: import('millrace').Millrace, close: () => Promise<void> }} Filled a store with what lies behind */

/** @param {import('../main.mjs').Asked} asked */
export async function ask({ rounds = 5, full, progress }) {
  const depths = [1e3, 1e5, 1e6, ...(full ? [1e7] : [])]
  /** @type {import('../rounds.mjs').Contender[]} */
  const contenders = []
  for (const depth of depths) {
    progress(`${depth.toLocaleString('en')} messages are sent`)
    contenders.push(contender(`backlog-${name(depth)}`, `${depth.toLocaleString('en')} messages behind`, await filled((mill) => sendMany(mill, depth))))
  }
  progress('1,000 groups are created')
  contenders.push(contender('idle-groups', '1,000 messages behind, 1,000 groups that nobody reads for', await filled(async (mill) => {
    for (let group = 0; group < 1_000; group += 1) await mill.groups.create(kept, `idle-${group}`, 'end')
    await sendMany(mill, 1_000)
  })))
  progress('a million delays are sent')
  contenders.push(contender('pending-delays', '1,000 messages behind, a million delays pending', await filled(async (mill) => {
    await sendMany(mill, 1_000)
    await sendMany(mill, 1e6, () => ({ at: Date.now() + hour + Math.floor(Math.random() * hour) }))
  })))
  const notes = ['each round sends 200,000 messages behind what is there, and then consumes as many at its head: the backlog stays what it is; embedded engine, fsync, batches', ...(full ? [] : ['--full adds 10,000,000 messages'])]
  return { cases: await runRounds(contenders, { rounds, progress }), notes }
}

/** @param {string} label @param {string} says @param {Filled} store @returns {import('../rounds.mjs').Contender} */
function contender(label, says, { mill, close }) {
  const isFirst = label === 'backlog-1e3'
  return {
    name: label, unit: 'messages/s', ...(!isFirst && { against: 'backlog-1e3' }), says: `consume and acknowledge; ${says}`,
    also: [{ name: `${label}-send`, unit: 'messages/s', ...(!isFirst && { against: 'backlog-1e3-send' }), says: `send; ${says}` }],
    round: async () => {
      const sent = await rate(slice.length, () => sendBatches(mill, slice, 4, kept))
      const consumed = await rate(slice.length, () => drain(mill, slice.length, { topic: kept }))
      return [consumed, sent]
    },
    close,
  }
}

/** Fills a store without waiting for the disk, and opens it again at fsync. @param {(mill: import('millrace').Millrace) => Promise<void>} fill @returns {Promise<Filled>} */
async function filled(fill) {
  const { path, remove } = scratch('backlog')
  const options = { path, lmdb: import.meta.resolve('lmdb') }
  const before = await millOf(embedded({ ...options, durability: 'os' }), [kept])
  await before.groups.create(kept, 'bench')
  await fill(before)
  await before.close()
  const mill = await millOf(embedded({ ...options, durability: 'fsync' }), [kept])
  return {
    mill,
    close: async () => {
      await mill.close()
      remove()
    },
  }
}

/** @param {import('millrace').Millrace} mill @param {number} count @param {() => { at?: number }} [more] */
async function sendMany(mill, count, more) {
  for (let sent = 0; sent < count; sent += slice.length) {
    const part = slice.slice(0, Math.max(batchSize, Math.min(slice.length, count - sent)))
    await sendBatches(mill, more ? part.map((item) => ({ ...item, ...more() })) : part, 4, kept)
  }
}

/** @param {number} depth */
function name(depth) {
  return `1e${Math.log10(depth)}`
}
