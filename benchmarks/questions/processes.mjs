import { setTimeout as sleep } from 'node:timers/promises'
import { Child } from '../child.mjs'
import { median, quantile, rounded, runRounds } from '../rounds.mjs'
import { partitions, scratch } from '../workload.mjs'

// Several processes on one store: how much they get through, how evenly, and what one of them can do to the others.

const crowd = 96_000
const leaseMs = 2_000

/** @param {import('../main.mjs').Asked} asked */
export async function ask({ rounds = 3, progress }) {
  const groups = await inTurn([1, 2, 4, 8], consumers)
  const cases = [
    ...(await runRounds(groups, { rounds, progress })),
    ...(await writers(progress)),
    ...(await opening(progress)),
    ...(await takeOver(progress)),
    ...(await troubled(progress)),
  ]
  return { cases, notes: ['embedded engine, fsync, every process with its own store thread: with 8 of them 16 threads share the cores'] }
}

/** So many consumers of one group, a process each. @param {number} count @returns {Promise<import('../rounds.mjs').Contender>} */
async function consumers(count) {
  const store = await Processes.open(count + 1)
  const [sender, ...members] = store.children
  for (const member of members) await member.call('consume', leaseMs)
  return {
    name: `consumers-${count}`, unit: 'messages/s', ...(count > 1 && { against: 'consumers-1' }), says: `${count} consumer process${count > 1 ? 'es' : ''} of one group, batches, acknowledged at fsync`,
    also: [{ name: `consumers-${count}-fairness`, unit: 'least/most', says: 'when half is done: what the process with the least has had, divided by what the one with the most has' }],
    round: async () => {
      await store.shared(members)
      await sender.call('pause', true)
      await sender.call('send', crowd)
      const before = await Promise.all(members.map((member) => member.call('counted')))
      const start = performance.now()
      await sender.call('pause', false)
      let fairness = Number.NaN
      for (;;) {
        const counts = (await Promise.all(members.map((member) => member.call('counted')))).map((each, index) => each - before[index])
        const done = counts.reduce((sum, each) => sum + each, 0)
        if (Number.isNaN(fairness) && done >= crowd / 2) fairness = Math.min(...counts) / Math.max(...counts)
        if (done >= crowd) return [crowd / ((performance.now() - start) / 1_000), fairness]
        await sleep(10)
      }
    },
    close: () => store.end(),
  }
}

/** @param {(text: string) => void} progress */
async function writers(progress) {
  progress('8 writers')
  const store = await Processes.open(8)
  await Promise.all(store.children.map((child) => child.call('sendFor', 500)))
  /** @type {number[][]} */
  const times = await Promise.all(store.children.map((child) => child.call('sendFor', 3_000)))
  await store.end()
  const all = times.flat()
  const shares = times.map(({ length }) => length)
  const says = '8 processes, each awaits one send after another for 3 s'
  return [
    once('writers-8', all.length / 3, 'messages/s', says),
    once('writers-8-p50', quantile(all, 0.5), 'ms', says),
    once('writers-8-p99', quantile(all, 0.99), 'ms', says),
    once('writers-8-most', quantile(all, 1), 'ms', `${says}: the longest`),
    once('writers-8-fairness', Math.min(...shares) / Math.max(...shares), 'least/most', 'sends of the process with the least, divided by those of the one with the most'),
  ]
}

/** @param {(text: string) => void} progress */
async function opening(progress) {
  progress('opening')
  const store = await Processes.open(1)
  await store.children[0]?.call('send', 10_000)
  /** @type {number[]} */
  const times = []
  for (let round = 0; round < 5; round += 1) times.push((await store.add()).opened)
  await store.end()
  return [once('open-second', median(times), 'ms', 'another process opens a store that is open; less than 200 is asked; without loading the library')]
}

/** How long after the SIGKILL of one of two consumers the other has had a message of every partition. @param {(text: string) => void} progress */
async function takeOver(progress) {
  /** @type {number[]} */
  const times = []
  for (let round = 1; round <= 3; round += 1) {
    progress(`take-over ${round} of 3`)
    const store = await Processes.open(3)
    const [sender, one, other] = store.children
    for (const child of [one, other]) await child.call('consume', leaseMs)
    await store.shared([one, other])
    await sender.call('touch')
    await sleep(leaseMs + Math.random() * 700)
    const killedAt = Date.now()
    await one.end('SIGKILL')
    for (;;) {
      await sender.call('touch')
      /** @type {Map<number, number>} */
      const lastOf = await other.call('lastOf')
      if (lastOf.size === partitions && [...lastOf.values()].every((at) => at > killedAt)) {
        times.push(Date.now() - killedAt)
        break
      }
      await sleep(5)
    }
    await store.end()
  }
  const says = `SIGKILL of one of two consumers, lease ${leaseMs} ms: until the other has had a message of every partition; less than lease + 500 is asked`
  return [once('take-over', median(times), 'ms', says), once('take-over-most', Math.max(...times), 'ms', `${says}; the longest of 3`)]
}

/** What two senders notice of a third process that is well, computes too long, or is stopped. @param {(text: string) => void} progress */
async function troubled(progress) {
  const store = await Processes.open(3)
  const [one, two, third] = store.children
  await third.call('consume', 10_000)
  await store.shared([third])
  const senders = [one, two]
  const times = async () => (await Promise.all(senders.map((sender) => sender.call('sendFor', 2_000)))).flat()
  await times()
  progress('others beside a process that is well')
  const well = await times()
  progress('others beside a process that computes')
  const computing = third.call('compute', 2_300)
  const blocked = await times()
  await computing
  progress('others beside a process that is stopped')
  await stopOutsideCommit(third, one)
  const stopped = await times()
  third.signal('SIGCONT')
  await store.end()
  const says = 'two processes, each awaits one send after another for 2 s, beside a consumer that'
  return [
    once('others-p99', quantile(well, 0.99), 'ms', `${says} is well`),
    once('others-p99-blocked', quantile(blocked, 0.99), 'ms', `${says} blocks its event loop; median ${rounded(quantile(blocked, 0.5))} ms, longest ${rounded(quantile(blocked, 1))} ms`),
    once('others-p99-stopped', quantile(stopped, 0.99), 'ms', `${says} was stopped outside of a commit; median ${rounded(quantile(stopped, 0.5))} ms, longest ${rounded(quantile(stopped, 1))} ms`),
  ]
}

/** A process that is stopped in the middle of a commit holds the writer's lock: that is another question. @param {Child} child @param {Child} witness */
async function stopOutsideCommit(child, witness) {
  for (;;) {
    child.signal('SIGSTOP')
    const sent = witness.call('sendFor', 1).then(() => true)
    if (await Promise.race([sent, sleep(500, false)])) return
    child.signal('SIGCONT')
    await sent
  }
}

/** @param {string} name @param {number} value @param {import('../rounds.mjs').Unit} unit @param {string} says @returns {import('../rounds.mjs').Case} */
function once(name, value, unit, says) {
  return { name, value: rounded(value), unit, says }
}

/** @template T, R @param {readonly T[]} list @param {(each: T) => Promise<R>} work */
async function inTurn(list, work) {
  /** @type {R[]} */
  const results = []
  for (const each of list) results.push(await work(each))
  return results
}

/** A store and the processes that use it. */
class Processes {
  #scratch = scratch('processes')
  /** @type {Child[]} */
  children = []

  /** @param {number} count */
  static async open(count) {
    const store = new Processes()
    for (let each = 0; each < count; each += 1) await store.add()
    return store
  }

  async add() {
    const child = new Child('worker')
    this.children.push(child)
    return { opened: /** @type {number} */ (await child.call('open', this.#scratch.path)) }
  }

  /** Waits until these own the partitions, as evenly as can be. @param {readonly Child[]} members */
  async shared(members) {
    for (;;) {
      /** @type {(string | null)[]} */
      const owners = await this.children[0]?.call('owners')
      const shares = new Map(owners.map((owner) => [owner, owners.filter((each) => each === owner).length]))
      if (!shares.has(null) && shares.size === members.length && Math.max(...shares.values()) - Math.min(...shares.values()) <= 1) return
      await sleep(50)
    }
  }

  async end() {
    await Promise.all(this.children.map((child) => child.end()))
    this.#scratch.remove()
  }
}
