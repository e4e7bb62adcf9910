import type { Millis } from '../../core/clock.js'
import type { Message } from '../../core/message.js'
import type { PartitionLog } from './partition-log.js'
import type { TopicState } from './topic-state.js'

/** Between two cuts that traffic itself makes, so that a log does not grow until the janitor comes. */
const cutEvery = 1_024

/** So many messages came in or were finished: now and then that cuts the log. */
export function noticePassed(topic: TopicState, messages: number, wall: Millis): void {
  topic.sinceCut += messages
  if (topic.sinceCut < cutEvery) return
  topic.sinceCut = 0
  cutPassed(topic, wall)
}

/** Removes what every group has finished and `keep` does not ask for; with `mayPassUnread`, finished or not. */
export function cutPassed(topic: TopicState, wall: Millis): void {
  for (const log of topic.logs) {
    if (log.start === log.end) continue
    const most = topic.meta.mayPassUnread ? log.end : topic.watermark(log)
    const to = Math.min(most, beyondKeep(topic, log, most, wall))
    if (to > log.start) topic.cut(log, to)
  }
}

/** When `keep` may next let something of this topic go by its age, by the wall clock. */
export function nextExpiry(topic: TopicState): Millis {
  const { ageMs } = topic.meta.keep
  let next = Infinity
  if (ageMs === undefined) return next
  for (const log of topic.logs) {
    const head = log.at(log.start)
    if (head && (topic.meta.mayPassUnread || topic.watermark(log) > log.start)) next = Math.min(next, bornAt(head) + ageMs)
  }
  return next
}

function beyondKeep({ meta: { keep } }: TopicState, log: PartitionLog, most: number, wall: Millis): number {
  let to = log.start
  if (keep.count !== undefined) to = Math.max(to, log.end - keep.count)
  if (keep.bytes !== undefined) while (to < most && log.bytesFrom(to) > keep.bytes) to += 1
  const { ageMs } = keep
  if (ageMs !== undefined) {
    while (to < most) {
      const message = log.at(to)
      if (message && bornAt(message) + ageMs > wall) break
      to += 1
    }
  }
  return to
}

/** A delayed message is young when its delay is over, however long that was. */
function bornAt({ timestamp, delayedUntil }: Message): Millis {
  return Math.max(timestamp, delayedUntil ?? timestamp)
}
