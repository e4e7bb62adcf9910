import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checkHistory, invariants } from './checker.mjs'
import { healthy, Story } from './history.harness.mjs'
import { historyFile, historyFiles, readHistory } from './history.mjs'
import { Recorder } from './recorder.mjs'
import { flawOf } from './vocabulary.mjs'

const names = invariants.map(({ invariant }) => invariant)
const invoked = (op, id, is) => (event) => event.kind === 'invoke' && event.op === op && event.id === id && (is === undefined || event.is === is)
const delivered = (id, group = 'a') => (event) => event.kind === 'delivered' && event.id === id && event.group === group
const resting = (of, more = {}) => (event) => event.kind === 'rest' && event.of === of && Object.entries(more).every(([name, value]) => event[name] === value)

/** What of a history is broken: the events that `find` finds have `change`. */
function changed(events, find, change) {
  const found = events.filter(find)
  if (found.length === 0) throw new Error('the history has nothing to break')
  for (const event of found) Object.assign(event, typeof change === 'function' ? change(event) : change)
  return events
}

function without(events, find) {
  const calls = new Set(events.filter((event) => event.kind === 'invoke' && find(event)).map(({ call }) => call))
  const left = events.filter((event) => !find(event) && !(calls.has(event.call) && event.kind !== 'invoke'))
  if (left.length === events.length) throw new Error('the history has nothing to break')
  return left
}

/** Puts a copy of an event a little later, with changes. */
function again(events, find, change = {}, { after = find } = {}) {
  const event = events.find(find)
  const index = events.findLastIndex(after)
  return events.toSpliced(index + 1, 0, { ...event, at: events[index].at + 1, wall: events[index].wall, ...change })
}

/** From an event on all is later. */
function later(events, find, ms) {
  const index = events.findIndex(find)
  return events.map((event, each) => (each < index ? event : { ...event, at: event.at + ms * 1_000, wall: event.wall + ms }))
}

/** What the census and the metrics of a group say was settled is one less, and something else one more. */
function recounted(events, group, to = 'purged') {
  const moved = (counts) => ({ ...counts, settled: counts.settled - 1, [to]: counts[to] + 1 })
  return events.map((event) => {
    if (event.of === 'metrics' && event.group === group) return { ...event, counts: moved(event.counts) }
    if (event.of === 'census') return { ...event, groups: event.groups.map((each) => (each.group === group ? moved(each) : each)) }
    return event
  })
}

/** A short history of one group that ends in a rest. */
function short(tell, held = []) {
  const story = new Story(['a'])
  tell(story)
  story.rest(held)
  return story.events
}

/** How to break a healthy history, so that one invariant alone is hurt. @type {[string, string, (events: any[]) => any[]][]} */
const breaks = [
  ['I1', 'a message that a group never gets though it has passed it', (events) => recounted(without(events, (event) => event.id === 'plain 3' && event.group === 'b'), 'b')],
  ['I1', 'a message that is delivered, has no verdict and does not come again', (events) => recounted(without(events, (event) => invoked('settle', 'plain 2')(event) && event.group === 'a'), 'a')],
  ['I1', 'a dead letter that is nowhere at rest', () => short((story) => {
    story.settle(story.deliver(story.send('dead', 1), 'a'), 'dead')
    story.count('a', 'dead')
  })],
  ['I2', 'a message that nobody sent', (events) => again(events, delivered('plain 1'), { id: 'phantom', offset: '900', key: null }, { after: resting('end') })],
  ['I2', 'another key than was sent', (events) => changed(events, delivered('delayed'), { key: 'other' })],
  ['I2', 'a send that failed for certain and comes', () => short((story) => {
    const refused = story.send('refused', 1, {}, { kind: 'fail' })
    story.deliver(refused, 'a')
    story.call('send', { topic: 't', id: 'unknown', key: 'k', sequence: 2 }, { kind: 'silent' })
    story.count('a', 'purged')
  })],
  ['I3', 'two of a key in the wrong order', () => short((story) => {
    const first = story.send('first', 1)
    story.finish(story.send('second', 2))
    story.finish(first)
  })],
  ['I4', 'a message that comes twice without a fault', (events) => again(events, delivered('plain 1'))],
  ['I4', 'a fault that did not happen excuses nothing', (events) => changed(events, (event) => event.kind === 'fault' && event.number === 1 && event.phase === 'end', { happened: false })],
  ['I4', 'a fault that is said to excuse nothing does not', (events) => changed(events, (event) => event.kind === 'fault' && event.number === 1 && event.phase === 'begin', { excuses: false })],
  ['I4', 'a dedup id that is in the log twice', (events) => again(events, delivered('sent twice'), { offset: '902' })],
  ['I5', 'the verdict of a zombie counts', () => short((story) => {
    story.add('fault', { fault: 'sigstop', number: 1, phase: 'begin' })
    const zombies = story.deliver(story.send('contested', 1), 'a')
    story.deliver({ ...zombies }, 'a', { member: 'm2', epoch: 2 })
    story.settle(zombies, 'done')
  })],
  ['I5', 'two members share an epoch', (events) => changed(events, (event) => event.id === 'poison' && event.group === 'a' && event.member === 'm2', { member: 'm3' })],
  ['I6', 'a delay that comes early', (events) => changed(events, invoked('send', 'delayed'), (event) => ({ due: event.due + 900 }))],
  ['I6', 'a delay that comes late', (events) => later(events, delivered('delayed', 'a'), 5_000)],
  ['I6', 'a retry that comes early', (events) => changed(events, invoked('settle', 'retried', 'retry'), (event) => ({ until: event.until + 500 }))],
  ['I6', 'a delay that never comes', (events) => recounted(recounted(without(events, (event) => event.id === 'delayed' && event.op !== 'send'), 'a'), 'b')],
  ['I6', 'a delay that is held long after its time', (events) => again(events, resting('held'), { why: 'delay', messages: [{ id: 'cancelled', until: 1 }] })],
  ['I6', 'a cancelled one that comes', (events) => again(events, delivered('plain 1'), { id: 'cancelled', sequence: 5, offset: '903', sum: undefined }, { after: resting('end') })],
  ['I7', 'a message that comes before anybody committed it', (events) => again(events, delivered('plain 1'), { id: 'undecided', sequence: 11, offset: '904' }, { after: resting('end') })],
  ['I7', 'a message that comes though it was rolled back', (events) => again(events, delivered('plain 1'), { id: 'rolled back', sequence: 10, offset: '905' }, { after: resting('end') })],
  ['I7', 'half of a transaction', (events) => changed(events, invoked('prepare', 'rolled back'), { transaction: 'T' })],
  ['I7', 'a committed message that is lost', (events) => recounted(recounted(without(events, (event) => event.id === 'committed 2' && event.group !== undefined), 'a'), 'b')],
  ['I7', 'a prepared message that is lost before anybody decided', (events) => without(events, resting('held', { why: 'prepared' }))],
  ['I8', 'a message that comes again after it was done', (events) => again(events, delivered('plain 1'), {}, { after: invoked('send', 'plain 3') })],
  ['I9', 'a fourth delivery of a poison of three', (events) => changed(events, invoked('send', 'poison'), { attempts: 2 })],
  ['I9', 'a poison that is parked too early', (events) => changed(events, invoked('send', 'poison'), { attempts: 4 })],
  ['I9', 'a neighbour that is parked with it', () => short((story) => {
    story.deliver(story.send('neighbour', 1), 'a')
    story.count('a', 'dead')
  }, [{ group: 'a', why: 'dead', messages: [{ id: 'neighbour', until: 'decided', kind: 'POISON' }] }])],
  ['I10', 'a census that does not add up', (events) => changed(events, resting('census'), (event) => ({ published: event.published - 1 }))],
  ['I10', 'metrics that say something else', (events) => changed(events, resting('metrics', { group: 'a' }), { counts: { settled: 1 } })],
  ['I11', 'one place for two messages', (events) => changed(events, (event) => delivered('delayed', 'a')(event) || (event.id === 'delayed' && event.op === 'settle' && event.group === 'a'), { offset: '1' })],
  ['I11', 'a later send with a lower offset', (events) => changed(events, (event) => event.offset === '3', { offset: '0' })],
  ['I11', 'a log that is not in order', (events) => changed(events, resting('stored'), { messages: [{ id: 'plain 2', offset: '2' }, { id: 'plain 1', offset: '1' }] })],
  ['I12', 'a neighbour that is slowed down', (events) => changed(events, (event) => event.phase === 'disturbed', { p99Ms: 13 })],
  ['I12', 'memory over its cap', (events) => changed(events, (event) => event.phase === 'calm', { memoryBytes: 11 })],
  ['I13', 'a slow recovery', (events) => changed(events, (event) => event.kind === 'ready', { elapsedMs: 10_001 })],
  ['I13', 'a recovery by hand', (events) => changed(events, (event) => event.kind === 'ready', { manual: true })],
  ['I14', 'damage that nobody noticed', (events) => without(events, (event) => event.kind === 'report')],
  ['I14', 'another value than was sent', (events) => changed(events, delivered('plain 2'), { sum: 'another' })],
  ['I15', 'a run that never comes to rest', (events) => changed(events, resting('drained'), { elapsedMs: null })],
  ['I15', 'a message that stays ready', (events) => recounted(without(events, (event) => event.id === 'plain 3' && event.group === 'b'), 'b', 'ready')],
  ['I16', 'an admin action that the audit does not have', (events) => without(events, (event) => event.kind === 'audit')],
  ['I16', 'an entry of the audit that nobody made', (events) => again(events, (event) => event.kind === 'audit', { by: 'bob' })],
]

describe('a healthy history', () => {
  const report = checkHistory(healthy())

  it('breaks nothing, and every invariant has something to say about it', () => {
    expect(report.violations).toEqual([])
    expect(report.checked).toEqual(names)
  })

  it('has its figures: what a killed consumer had in hand came twice', () => {
    expect(report).toMatchObject({ lost: 0, duplicated: 2, counts: {}, faults: { sigkill: 1, flip: 1 } })
    expect(report.acknowledged).toBeGreaterThan(10)
  })
})

describe('a history that is broken in one way is caught by that invariant and no other', () => {
  for (const [invariant, what, change] of breaks) {
    it(`${invariant}: ${what}`, () => {
      const { violations } = checkHistory(change(healthy()))
      expect(violations.map((each) => [each.invariant, each.what])).toEqual(violations.map((each) => [invariant, each.what]))
      expect(violations.length).toBeGreaterThan(0)
      for (const { events } of violations) expect(events.length <= 5).toBe(true)
    })
  }

  it('and none is left without a break', () => {
    expect(names.filter((name) => !breaks.some(([invariant]) => invariant === name))).toEqual([])
  })
})

describe('power loss', () => {
  const lostTo = (survives) => checkHistory(short((story) => {
    story.add('topic', { topic: 't', survives })
    story.send('lost', 1, {}, { survives })
    story.add('fault', { fault: 'power', number: 1, phase: 'begin', loses: ['memory', 'os'] })
    story.add('fault', { fault: 'power', number: 1, phase: 'end', happened: true })
    story.count('a', 'purged')
  }))

  it('may take what was acknowledged below fsync, and it is counted', () => {
    expect(lostTo(['memory', 'os'])).toMatchObject({ acknowledged: 1, lost: 1, violations: [] })
  })

  it('may not take what was acknowledged at fsync', () => {
    expect(lostTo(['memory', 'os', 'fsync'])).toMatchObject({ lost: 1, counts: { I1: 1 } })
  })
})

it('what a stopped process writes down late breaks nothing', () => {
  const { violations, duplicated } = checkHistory(short((story) => {
    story.add('fault', { fault: 'sigstop', number: 1, phase: 'begin' })
    const [one, two] = [story.send('one', 1), story.send('two', 2)]
    for (const each of [one, two]) story.finish(each, { member: 'm2', epoch: 2, attempt: 2 })
    const late = story.deliver(one, 'a', { asked: story.events[0].at })
    story.settle(late, 'done', { kind: 'fail' })
    story.add('fault', { fault: 'sigstop', number: 1, phase: 'end', happened: true })
  }))
  expect(violations).toEqual([])
  expect(duplicated).toBe(1)
})

it('a redrive of all dead letters, a seek and a purge explain what they do', () => {
  const { violations, duplicated } = checkHistory(short((story) => {
    const [dead, sought, purged] = ['dead', 'sought', 'purged'].map((id, index) => story.send(id, index + 1))
    story.settle(story.deliver(dead, 'a'), 'dead')
    story.call('redrive', { topic: 't', group: 'a' })
    story.finish(dead)
    story.finish(sought)
    story.settle(story.deliver(purged, 'a'), 'dead')
    story.call('purge', { topic: 't', group: 'a' })
    story.count('a', 'purged')
    story.call('seek', { topic: 't', group: 'a', partition: 0 })
    story.finish(sought, { epoch: 2 })
  }))
  expect(violations).toEqual([])
  expect(duplicated).toBe(0)
})

it('a delay that was due before the clock was set back may come after it', () => {
  const shifted = (shiftMs) => checkHistory(short((story) => {
    const due = story.wall + 100
    const delayed = story.send('delayed', 1, { due }, { offset: null })
    story.pass(200)
    story.add('fault', { fault: 'clock', number: 1, phase: 'begin', shiftMs })
    story.add('fault', { fault: 'clock', number: 1, phase: 'end', happened: true })
    const came = story.deliver({ ...delayed, offset: story.offset() }, 'a')
    came.wall = due - 3_000
    story.settle(came, 'done')
  })).counts
  expect(shifted(-3_600_000)).toEqual({})
  expect(shifted(-1_000)).toEqual({ I6: 1 })
})

it('a place that nobody was told of may be lost with less than what was acknowledged, and the message gets another', () => {
  const found = (more) => checkHistory(short((story) => {
    story.add('topic', { topic: 't', survives: ['os', 'replicated'], ...more })
    const delayed = story.send('delayed', 1, { due: story.wall, dedup: true }, { offset: null, survives: ['os', 'replicated'] })
    story.deliver({ ...delayed, offset: '901' }, 'a')
    story.add('fault', { fault: 'failover', number: 1, phase: 'begin', loses: ['os'] })
    story.add('fault', { fault: 'failover', number: 1, phase: 'end', happened: true })
    story.settle(story.deliver({ ...delayed, offset: story.offset() }, 'a', { member: 'm2', epoch: 2 }), 'done')
  })).counts.I4
  expect(found({ unconfirmed: ['os'] })).toBe(undefined)
  expect(found({})).toBe(1)
})

it('what a check-back rolled back is not lost', () => {
  const { violations, lost } = checkHistory(short((story) => {
    story.call('prepare', { topic: 't', id: 'undone', key: 'k', sequence: 1 }, { partition: 0, offset: null, survives: ['os'] })
    story.add('checkback', { topic: 't', id: 'undone', is: 'rollback' })
  }))
  expect(violations).toEqual([])
  expect(lost).toBe(0)
})

it('without a rest nobody knows what was lost', () => {
  const { lost, checked } = checkHistory(healthy().filter(({ kind }) => kind !== 'rest'))
  expect(lost).toBe(null)
  expect(checked).not.toContain('I1')
})

describe('a history in files', () => {
  const folderOf = () => {
    const folder = mkdtempSync(join(tmpdir(), 'history-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    return folder
  }
  const line = (at, fields = {}) => `${JSON.stringify({ at, wall: 1, process: 'one', kind: 'ready', elapsedMs: 1, ...fields })}\n`
  const read = (folder, options) => [...readHistory(historyFiles(folder), options)]

  it('is merged by time', () => {
    const folder = folderOf()
    for (const [name, times] of [['one', [1, 4, 9]], ['two', [2, 3, 5]], ['three', []], ['four', [7]]]) writeFileSync(historyFile(folder, name), times.map((at) => line(at)).join(''))
    expect(read(folder).map(({ at }) => at)).toEqual([1, 2, 3, 4, 5, 7, 9])
  })

  it('is read through, however long its lines and wherever a piece ends', () => {
    const folder = folderOf()
    const name = 'ü'.repeat(100_000)
    writeFileSync(historyFile(folder, 'one'), [1, 2, 3, 4, 5].map((at) => line(at, { process: name })).join(''))
    expect(read(folder).map(({ process }) => process)).toEqual([name, name, name, name, name])
  })

  it('may end in a line without an end, which is left out', () => {
    const folder = folderOf()
    writeFileSync(historyFile(folder, 'one'), `${line(1)}${line(2).slice(0, 20)}`)
    const torn = []
    expect(read(folder, { onTorn: (file, text) => torn.push(text) }).map(({ at }) => at)).toEqual([1])
    expect(torn).toEqual([line(2).slice(0, 20)])
  })

  it('is refused by file and line where any other line is broken', () => {
    for (const text of [`${line(1)}{"at":\n${line(3)}`, `${line(1)}\n`, `${line(1)}${line(2, { elapsedMs: 'soon' })}`, `${line(2)}${line(1)}`]) {
      const folder = folderOf()
      writeFileSync(historyFile(folder, 'one'), text)
      expect(() => read(folder)).toThrow(/^one\.jsonl:2: /)
    }
  })

  it('is as it was recorded', () => {
    const folder = folderOf()
    const recorder = new Recorder(folder, 'producer 1')
    recorder.together(() => recorder.invoke('send', { topic: 't', id: 'one', key: null, sequence: 1 }).ok({ partition: 0, offset: '1' }))
    recorder.invoke('commit', { topic: 't', id: 'two' }).fail(Object.assign(new Error('no'), { code: 'GONE' }))
    recorder.close()
    appendFileSync(historyFile(folder, 'producer 1'), '{"at"')
    expect(read(folder)).toMatchObject([{ kind: 'invoke', call: 1, op: 'send', process: 'producer 1' }, { kind: 'ok', call: 1, offset: '1' }, { kind: 'invoke', call: 2 }, { kind: 'fail', call: 2, code: 'GONE' }])
  })
})

it('the healthy history is in the words of the vocabulary, and other words are refused', () => {
  expect(healthy().map(flawOf).filter((flaw) => flaw !== undefined)).toEqual([])
  const event = { at: 1, wall: 1, process: 'p', kind: 'invoke', call: 1 }
  expect([null, { ...event, kind: 'shrug' }, { ...event, op: 'shrug' }, { ...event, op: 'commit', topic: 't' }, { ...event, op: 'commit', topic: 't', id: 1 }].map(flawOf)).toEqual([
    'not an object', 'there is no kind "shrug"', 'there is no invoke "shrug"', 'id is undefined', 'id is 1',
  ])
})
