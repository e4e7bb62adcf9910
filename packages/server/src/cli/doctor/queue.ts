import type { ShownGroup } from '../shown.js'
import { type Finding, bytes, notice, ok, plural, span, wrong } from './finding.js'
import type { Survey } from './survey.js'

/** A step of the clock below this is what clocks do. */
const clockSlackMs = 2_000
const backwardsMs = 60_000
/** What is held longer than the first question takes has nobody who answers. */
const preparedOldMs = 300_000
const lateMs = 10_000

export interface QueueLook {
  readonly first: Survey
  /** A moment later, where `wantsSecond` says so; otherwise the same. */
  readonly second: Survey
  /** False for a store that no other process has open: nobody is expected to consume or to release. */
  readonly inUse: boolean
  /** The time of this machine at the moment of `first`. */
  readonly now: number
}

/** Whether it takes a second look to tell: a lag that nobody reads may stand or grow. */
export function wantsSecond(first: Survey): boolean {
  return first.groups.some(isIdle)
}

function isIdle({ consumerCount, lag, paused: isPaused }: ShownGroup): boolean {
  return consumerCount === 0 && lag > 0 && !isPaused
}

/** Judges what a queue holds. */
export function judgeQueue(look: QueueLook): readonly Finding[] {
  const { first } = look
  const more = first.isWhole ? '' : ' (of the first 200 topics)'
  return [
    clock(look),
    ...(look.inUse ? [overdue(first)] : []),
    prepared(first),
    groups(look),
    paused(first),
    dead(first),
    ok('contents', `${plural(first.topics.length, 'topic')}, ${plural(first.groups.length, 'group')}, ${bytes(first.bytes)} of messages${more}`),
  ]
}

function clock({ first: { at, newest, backwards }, now }: QueueLook): Finding {
  if (Math.abs(at - now) > clockSlackMs) {
    return notice('clock', `the clock of the server is ${span(Math.abs(at - now))} ${at > now ? 'ahead of' : 'behind'} this machine's`, 'delays fire by the server\'s clock, ages are counted by it', 'let both take their time from NTP')
  }
  if (newest && newest.at - at > clockSlackMs) {
    return wrong('clock', `the newest message of ${newest.topic} is ${span(newest.at - at)} in the future`, 'the clock was set back, or a sender\'s is ahead: delays fire late, and retention keeps messages longer', 'set the clock right, and let it follow NTP')
  }
  if (backwards && backwards.byMs > backwardsMs) {
    return notice('clock', `in ${backwards.topic} a message is ${span(backwards.byMs)} older than the one before it`, 'the clock was set back, or senders\' clocks differ: reading from a time may begin elsewhere than you think', 'let all machines take their time from NTP')
  }
  return ok('clock', newest ? `ahead of the newest message, sent ${span(Math.max(0, at - newest.at))} ago` : 'no message to compare with')
}

function overdue({ overdue: late }: Survey): Finding {
  const latest = Math.max(0, ...late)
  if (latest < lateMs) return ok('delays', 'none is late')
  return wrong('delays', `${plural(late.filter((ms) => ms >= lateMs).length, 'delayed or retried message')} should have been released, the first ${span(latest)} ago`, 'nobody releases them: the keeper is stopped or has too much to do', 'see that the server runs and has a free processor; restart it if it does')
}

function prepared({ prepared: all, at }: Survey): Finding {
  const parked = all.filter(({ isParked }) => isParked)
  const old = all.filter(({ heldAt, isParked }) => !isParked && at - heldAt > preparedOldMs)
  const todo = 'run the producer group that answers for them, or decide: millrace held release ID, millrace held cancel ID'
  if (parked.length > 0) return wrong('prepared', `${plural(parked.length, 'prepared message')} were asked about until the questions ran out, ${parked[0]?.id ?? ''} for one`, 'they are kept and never delivered until somebody decides', todo)
  if (old.length > 0) return notice('prepared', `${plural(old.length, 'prepared message')} wait for longer than ${span(preparedOldMs)}, ${old[0]?.id ?? ''} for one`, 'nobody answers what became of their transactions', todo)
  return ok('prepared', all.length === 0 ? 'none waits' : `${plural(all.length, 'message')}, none for long`)
}

function groups({ first, second, inUse }: QueueLook): Finding {
  const idle = first.groups.filter(isIdle)
  const growing = idle.filter((group) => (second.groups.find((each) => nameOf(each) === nameOf(group))?.lag ?? 0) > group.lag)
  const todo = 'start its consumers, or delete it if nobody needs it any more: millrace groups delete TOPIC GROUP'
  const means = 'its messages wait, and are kept until it has read them'
  if (!inUse) return ok('groups', 'not judged: no other process has the store open')
  if (growing.length > 0) return wrong('groups', `${names(growing)} without a member, and their lag grows`, means, todo)
  if (idle.length > 0) return notice('groups', `${names(idle)} without a member`, means, todo)
  return ok('groups', 'each with something to read has a member')
}

function paused({ topics, groups: all }: Survey): Finding {
  const stopped = [...topics.filter((each) => each.paused).map(({ name }) => `topic ${name}`), ...all.filter((each) => each.paused).map((each) => `group ${nameOf(each)}`)]
  if (stopped.length === 0) return ok('paused', 'nothing is')
  return notice('paused', listed(stopped), 'nothing is delivered there', 'millrace topics resume TOPIC, millrace groups resume TOPIC GROUP')
}

function dead({ groups: all }: Survey): Finding {
  const given = all.filter((group) => group.dead > 0)
  if (given.length === 0) return ok('dead letters', 'none')
  const total = given.reduce((sum, group) => sum + group.dead, 0)
  return notice('dead letters', `${total} in ${listed(given.map(nameOf))}`, 'groups gave up on these messages', 'millrace dead list, then millrace dead redrive or purge')
}

function names(all: readonly ShownGroup[]): string {
  return listed(all.map((group) => `${nameOf(group)} (${group.lag} to read)`))
}

function nameOf({ topicName, groupId }: ShownGroup): string {
  return `${topicName}/${groupId}`
}

function listed(all: readonly string[], most = 5): string {
  return all.length <= most ? all.join(', ') : `${all.slice(0, most).join(', ')} and ${all.length - most} more`
}
