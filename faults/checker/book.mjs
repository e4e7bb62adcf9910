import { Faults } from './faults.mjs'
import { Rest } from './rest.mjs'

/**
 * What a history has said so far of every message and, as a story, of each of its places in each group. The invariants look
 * at it before an event is entered. A story's `last` is its newest delivery; an observation that a stopped process writes
 * down late, under an epoch that was over, is not one. `status`: open, done, maybe (a verdict done without an answer),
 * retry, dead, back, lent.
 */
export class Book {
  rest = new Rest()
  duplicated = 0
  /** What losses.mjs has found, once it was asked. */
  losses = undefined
  #topics = new Map()
  #calls = new Map()

  constructor({ graceMs }) {
    this.faults = new Faults(graceMs)
  }

  topic(name) {
    let topic = this.#topics.get(name)
    if (topic === undefined) {
      topic = { name, survives: undefined, unconfirmed: undefined, messages: new Map(), groups: new Map() }
      this.#topics.set(name, topic)
    }
    return topic
  }

  topics() {
    return this.#topics.values()
  }

  *messages() {
    for (const topic of this.#topics.values()) yield* topic.messages.values()
  }

  group(topicName, name) {
    const { groups } = this.topic(topicName)
    let group = groups.get(name)
    if (group === undefined) {
      group = { name, declared: undefined, seek: undefined, redrive: undefined, purge: undefined, leases: new Map(), left: new Map() }
      groups.set(name, group)
    }
    return group
  }

  isShared({ topic, group }) {
    return this.topic(topic).groups.get(group)?.declared?.mode !== 'broadcast'
  }

  message({ topic: name, id }) {
    const topic = this.topic(name)
    let message = topic.messages.get(id)
    if (message === undefined) {
      message = { id, topic, sent: undefined, sends: 0, failed: 0, ok: undefined, due: undefined, otherDue: undefined, prepared: undefined, commit: undefined, rollback: undefined, dropped: undefined, redriven: false, dedup: false, stories: [], gone: undefined }
      topic.messages.set(id, message)
    }
    return message
  }

  /** The story of an event's place, or undefined. */
  story({ group, partition, offset }, message) {
    return message.stories.find((each) => each.group === group && each.offset === offset && each.partition === partition)
  }

  /** The call that an answer ends. */
  callOf(answer) {
    const key = `${answer.process} ${answer.call}`
    const invoke = this.#calls.get(key)
    if (invoke === undefined) throw new Error(`${answer.process} has an answer to call ${answer.call}, which is not open`)
    this.#calls.delete(key)
    return invoke
  }

  enter(event, message, story) {
    if (event.kind === 'delivered') this.#delivered(event, message, story)
    else if (event.kind === 'invoke') this.#invoked(event, message)
    else this.#entries[event.kind]?.(event)
  }

  #entries = {
    topic: (event) => {
      const { survives, unconfirmed } = event
      Object.assign(this.topic(event.topic), { survives, unconfirmed })
    },
    group: (event) => {
      this.group(event.topic, event.group).declared = event
    },
    member: (event) => {
      const { left } = this.group(event.topic, event.group)
      for (const partition of event.what === 'leaving' ? ['all'] : (event.partitions ?? ['all'])) left.set(`${event.member} ${partition}`, event.at)
    },
    checkback: (event) => {
      if (event.is !== 'unknown') this.message(event)[event.is] ??= { invoke: event, answer: undefined }
    },
    fault: (event) => this.faults.take(event),
    gone: (event) => {
      for (const id of event.ids) (this.message({ topic: event.topic, id }).gone ??= new Set()).add(event.group ?? 'all')
    },
    rest: (event) => {
      this.rest = this.rest.take(event)
    },
  }

  #invoked(event, message) {
    this.#calls.set(`${event.process} ${event.call}`, event)
    const { op } = event
    if (op === 'send' || op === 'prepare') {
      message.sent ??= event
      message.sends += 1
      message.due ??= event.due
      message.dedup ||= event.dedup === true
      if (op === 'prepare') message.prepared = event
    } else if (op === 'commit' || op === 'rollback') {
      message[op] = { invoke: event, answer: undefined }
    } else if (op === 'cancel') {
      message.dropped ??= { invoke: event, answer: undefined }
    } else if (op === 'settle') {
      this.#settling(event, this.story(event, message))
    } else if (op === 'reschedule') {
      message.otherDue = event.due
    } else {
      if (event.id === undefined) this.group(event.topic, event.group)[op] = event
      else this.#named(event, message)
    }
  }

  #named(event, message) {
    for (const story of message.stories) if (story.group === event.group) story[event.op] = event
    if (event.op === 'redrive') message.redriven = true
  }

  #settling(event, story) {
    if (story === undefined || story.last.member !== event.member || story.last.epoch !== event.epoch) return
    if (event.is === 'dead') story.isAskedDead = true
    else if (event.is !== 'done') story.ended = event
    else if (story.status === 'open') story.status = 'maybe'
  }

  /** Enters an answer to a call. */
  answer(event, invoke, message, story) {
    const { op } = invoke
    if (op === 'send' || op === 'prepare') {
      if (event.kind === 'ok') message.ok ??= event
      if (event.kind === 'fail') message.failed += 1
    } else if (op === 'commit' || op === 'rollback' || op === 'cancel') {
      const decision = op === 'cancel' ? 'dropped' : op
      if (event.kind === 'fail' && message[decision]?.invoke === invoke && message[decision].answer === undefined) message[decision] = undefined
      else if (message[decision]) message[decision].answer ??= event
    } else if (op === 'reschedule') {
      if (event.kind === 'ok') message.due = invoke.due
      if (event.kind !== 'info') message.otherDue = undefined
    } else if (op === 'settle' && story !== undefined) {
      this.#settled(event, invoke, story)
    }
  }

  #settled(event, invoke, story) {
    if (event.kind === 'ok') {
      // What was handed back may be with the next one before this answer is written.
      if (invoke.is !== 'done' && story.last.at > invoke.at) return
      story.status = invoke.is
      story.wasDone ||= invoke.is === 'done'
      story.verdict = { invoke, answer: event }
    } else if (event.kind === 'fail') {
      if (story.ended === invoke) story.ended = undefined
      if (story.status === 'maybe' && invoke.is === 'done') story.status = 'open'
    }
  }

  /** A delivery that was written down after its epoch was over for this message. */
  isStale(event, story) {
    return story?.last !== undefined && event.epoch !== undefined && story.last.epoch > event.epoch
  }

  /** Why a message may rightly come again after a story's last delivery, faults aside; nothing when there is no reason. */
  reasonToComeAgain(story) {
    const { last } = story
    const group = this.group(last.topic, last.group)
    const { left } = group
    if (story.ended !== undefined || after(story.redrive, last) || after(group.seek, last)) return 'asked for'
    if (after(group.redrive, last) && story.status !== 'done') return 'asked for'
    if ([last.partition, 'all'].some((partition) => left.get(`${last.member} ${partition}`) >= last.at)) return 'handed over'
    return undefined
  }

  #delivered(event, message, story) {
    const { group, partition, offset } = event
    const lease = this.group(event.topic, group).leases.get(partition)
    if (lease === undefined || event.epoch > lease.epoch) this.group(event.topic, group).leases.set(partition, event)
    if (story === undefined) {
      message.stories.push({ group, partition, offset, count: 1, first: event, last: event, ended: undefined, verdict: undefined, status: 'open', redrive: undefined, purge: undefined, isAskedDead: false, wasDone: false })
      return
    }
    story.count += 1
    if (this.isStale(event, story)) return
    story.last = event
    story.status = 'open'
    story.ended = undefined
  }
}

function after(cause, event) {
  return cause !== undefined && cause.at >= event.at
}
