/**
 * A healthy history to break: two producers, three consumers of a group and one of another, keys that keep their order, delays, retries,
 * transactions, dead letters, redrives, poison; a consumer killed and a store damaged. `broken(change)` is a copy that `change` has had in hand.
 */
const second = 1_000_000
const wallStart = 1_700_000_000_000
const survives = ['os', 'fsync']

export class Story {
  events = []
  #calls = 0
  #offset = 0
  #at = second
  #published = 0
  #counts = new Map()

  constructor(groups = ['a', 'b']) {
    this.groups = groups
    this.add('topic', { topic: 't', survives })
    for (const group of groups) this.add('group', { topic: 't', group, mode: 'share', from: 'start' })
  }

  add(kind, fields, process = 'runner') {
    this.#at += 10
    const event = { at: this.#at, wall: wallStart + Math.floor(this.#at / 1_000), process, kind, ...fields }
    this.events.push(event)
    return event
  }

  pass(ms) {
    this.#at += ms * 1_000
  }

  get wall() {
    return wallStart + Math.floor((this.#at + 10) / 1_000)
  }

  /** A call and its answer. */
  call(op, fields, { kind = 'ok', process = 'producer', ...answer } = {}) {
    const call = (this.#calls += 1)
    const invoke = this.add('invoke', { op, call, ...fields }, process)
    if (kind === 'silent') return { invoke }
    return { invoke, answer: this.add(kind, { call, ...(kind === 'ok' ? answer : { code: 'SOME' }) }, process) }
  }

  offset() {
    this.#published += 1
    return String((this.#offset += 1))
  }

  send(id, sequence, more = {}, answer = {}) {
    const offset = more.due === undefined ? this.offset() : null
    return { id, sequence, offset, ...this.call('send', { topic: 't', id, key: 'k', sequence, sum: `sum of ${id}`, ...more }, { partition: 0, offset, survives, duplicate: false, ...answer }) }
  }

  deliver({ id, sequence, offset }, group, lease = {}) {
    const fields = { topic: 't', group, id, partition: 0, offset, key: 'k', sequence, sum: `sum of ${id}`, member: 'm1', epoch: 1, attempt: 1, asked: this.#at, ...lease }
    return this.add('delivered', fields, `consumer ${fields.member}`)
  }

  settle(delivered, is, { more, ...answer } = {}) {
    const { topic, group, id, partition, offset, member, epoch } = delivered
    const found = this.call('settle', { topic, group, id, partition, offset, member, epoch, is, ...more }, { process: delivered.process, ...answer })
    if (is === 'done' && (answer.kind ?? 'ok') === 'ok') this.count(group, 'settled')
    return found
  }

  /** Delivered and done in every group. */
  finish(message, lease) {
    for (const group of this.groups) this.settle(this.deliver(message, group, lease), 'done')
  }

  count(group, what) {
    const counts = this.#counts.get(group) ?? { settled: 0, dead: 0, retrying: 0, purged: 0 }
    counts[what] += 1
    this.#counts.set(group, counts)
  }

  rest(held = []) {
    const zero = { settled: 0, ready: 0, leased: 0, retrying: 0, lent: 0, parked: 0, dead: 0, purged: 0 }
    const groups = this.groups.map((group) => ({ group, ...zero, ...this.#counts.get(group) }))
    this.add('rest', { of: 'begin' })
    this.add('rest', { of: 'census', topic: 't', published: this.#published, groups })
    for (const { group, ...counts } of groups) this.add('rest', { of: 'metrics', topic: 't', group, counts })
    for (const page of held) this.add('rest', { of: 'held', topic: 't', ...page })
    this.add('rest', { of: 'stored', topic: 't', partition: 0, messages: [] })
    this.add('rest', { of: 'drained', elapsedMs: 500, withinMs: 30_000 })
    this.add('rest', { of: 'end' })
  }
}

/** A history of everything, with nothing wrong. Ids say what happens to the message. */
export function healthy() {
  const story = new Story()
  for (let each = 1; each <= 3; each += 1) story.finish(story.send(`plain ${each}`, each))
  delaysAndRetries(story)
  decided(story)
  killed(story)
  const poison = story.send('poison', 14, { poison: 'throws', attempts: 3 })
  for (const group of story.groups) perish(story, poison, group, 3)
  const redriven = story.send('redriven', 15)
  for (const group of story.groups) redrive(story, redriven, group)
  story.add('fault', { fault: 'flip', number: 2, phase: 'begin', damages: true, on: 'data.mdb' })
  story.add('report', { number: 2, found: 'damaged', code: 'STORE_DAMAGED' })
  story.add('fault', { fault: 'flip', number: 2, phase: 'end', happened: true })
  story.add('ready', { elapsedMs: 400, messages: 20, manual: false })
  for (const [phase, p99Ms] of [['calm', 10], ['disturbed', 11]]) story.add('sample', { of: 'neighbour', phase, p99Ms, memoryBytes: 5, capBytes: 10 })
  story.call('purge', { topic: 't', group: 'a', id: 'nothing', by: 'anna' })
  story.add('audit', { action: 'purge', by: 'anna', topic: 't', group: 'a', id: 'nothing' })
  story.pass(60_000)
  story.rest([...story.groups.map((group) => ({ group, why: 'dead', messages: [{ id: 'poison', until: 'decided' }] })), { why: 'prepared', messages: [{ id: 'undecided', until: 'decided' }] }])
  return story.events
}

function delaysAndRetries(story) {
  const delayed = story.send('delayed', 4, { due: story.wall + 1_000 })
  story.pass(1_200)
  story.finish({ ...delayed, offset: story.offset() })
  const cancelled = story.send('cancelled', 5, { due: story.wall + 9_000 })
  story.call('cancel', { topic: 't', id: cancelled.id })
  const retried = story.send('retried', 6)
  for (const group of story.groups) {
    story.settle(story.deliver(retried, group), 'retry', { more: { until: story.wall + 100 } })
    story.pass(150)
    story.settle(story.deliver(retried, group, { attempt: 2 }), 'done')
  }
  const back = story.send('handed back', 7)
  for (const group of story.groups) {
    story.settle(story.deliver(back, group), 'back')
    story.settle(story.deliver(back, group), 'done')
  }
}

function decided(story) {
  const fields = { key: 'k', transaction: 'T' }
  for (const [id, sequence] of [['committed 1', 8], ['committed 2', 9]]) {
    story.call('prepare', { topic: 't', id, sequence, ...fields }, { offset: null, survives })
    story.call('commit', { topic: 't', id })
    story.finish({ id, sequence, offset: story.offset() })
  }
  story.call('prepare', { topic: 't', id: 'rolled back', sequence: 10, ...fields, transaction: 'U' }, { offset: null, survives })
  story.call('rollback', { topic: 't', id: 'rolled back' })
  story.call('prepare', { topic: 't', id: 'undecided', sequence: 11, ...fields, transaction: 'V' }, { offset: null, survives })
}

/** A producer that sends again what it does not know of, a consumer that dies with a lease. */
function killed(story) {
  story.add('fault', { fault: 'sigkill', number: 1, phase: 'begin', on: 'm1', loses: ['memory'] })
  story.call('send', { topic: 't', id: 'sent twice', key: 'k', sequence: 12, dedup: true }, { kind: 'silent' })
  story.finish(story.send('sent twice', 12, { dedup: true, sum: undefined }))
  const inFlight = story.send('in flight', 13)
  for (const group of story.groups) story.deliver(inFlight, group)
  story.add('fault', { fault: 'sigkill', number: 1, phase: 'end', happened: true })
  story.pass(10_000)
  for (const group of story.groups) {
    const again = story.deliver(inFlight, group, { member: 'm2', epoch: 2, attempt: 2 })
    story.settle({ ...again, member: 'm1', epoch: 1, process: 'consumer m1' }, 'done', { kind: 'fail' })
    story.settle(again, 'done')
  }
}

function perish(story, message, group, attempts) {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const delivered = story.deliver(message, group, { member: 'm2', epoch: 2, attempt })
    story.settle(delivered, attempt === attempts ? 'dead' : 'retry')
  }
  story.count(group, 'dead')
}

function redrive(story, message, group) {
  story.settle(story.deliver(message, group, { member: 'm2', epoch: 2 }), 'dead')
  story.call('redrive', { topic: 't', group, id: message.id })
  story.settle(story.deliver(message, group, { member: 'm2', epoch: 2 }), 'done')
}
