/**
 * What is asked of a figure: of its value, or of its ratio.
 * @typedef {{ atLeast: number } | { atMost: number } | { ratioAtLeast: number } | { ratioAtMost: number }} Target
 */

/** By question and case; CASE/AGAINST where a case has several that it is divided by. @type {Readonly<Record<string, Readonly<Record<string, readonly Target[]>>>>} */
const targets = {
  memory: {
    batched: [{ atLeast: 1_000_000 }],
    single: [{ atLeast: 200_000 }],
    'delay-lateness-p99': [{ atMost: 10 }],
    'delay-memory': [{ atMost: 100 }],
    'delay-early': [{ atMost: 0 }],
  },
  embedded: {
    send: [{ atLeast: 200_000 }, { ratioAtLeast: 0.3 }],
    consume: [{ atLeast: 150_000 }],
    'single-64': [{ ratioAtLeast: 0.4 }],
    'single-1-p50': [{ ratioAtMost: 3 }],
    'delay-lateness-p99': [{ atMost: 10 }],
    'delay-memory': [{ atMost: 100 }],
    'delay-early': [{ atMost: 0 }],
  },
  http: { single: [{ ratioAtLeast: 0.5 }], 'single-fsync': [{ ratioAtLeast: 0.3 }], 'batch-100': [{ atLeast: 60_000 }] },
  delays: {
    'delay-lateness-p99': [{ atMost: 10 }],
    'delay-memory': [{ atMost: 100 }],
    'delay-early': [{ atMost: 0 }],
    'memory-delay-lateness-p99': [{ atMost: 10 }],
    'memory-delay-memory': [{ atMost: 100 }],
    'memory-delay-early': [{ atMost: 0 }],
  },
  backlog: {
    'backlog-1e5': [{ ratioAtLeast: 0.9 }],
    'backlog-1e6': [{ ratioAtLeast: 0.9 }],
    'backlog-1e7': [{ ratioAtLeast: 0.9 }],
    'idle-groups': [{ ratioAtLeast: 0.9 }],
    'pending-delays': [{ ratioAtLeast: 0.9 }],
  },
  kafka: {
    send: [{ ratioAtLeast: 0.9 }],
    consume: [{ ratioAtLeast: 0.9 }],
    'key-order': [{ ratioAtLeast: 8 }],
    'key-order-of-ideal': [{ atLeast: 50 }],
    'send-single': [{ ratioAtLeast: 0.9 }],
    'send-single-kafkajs': [{ ratioAtLeast: 5 }],
    'rebalance-pause': [{ atMost: 1_000 }],
    'rebalance-twice': [{ atMost: 0 }],
    'restart-consume': [{ atMost: 2_000 }],
    'delay-lateness-p99': [{ atMost: 100 }],
    'delay-early': [{ atMost: 0 }],
  },
  redis: {
    'send-single/bare': [{ ratioAtLeast: 0.6 }],
    'send-single/bullmq': [{ ratioAtLeast: 4 }],
    'send-bulk/bare': [{ ratioAtLeast: 0.6 }],
    'send-bulk/bullmq': [{ ratioAtLeast: 4 }],
    'consume/bare': [{ ratioAtLeast: 0.6 }],
    'consume/bullmq': [{ ratioAtLeast: 6 }],
    'in-and-out': [{ atLeast: 100_000 }],
    'end-to-end-p99': [{ atMost: 5 }],
    'end-to-end-p99-half': [{ atMost: 50 }],
    'bytes-per-message/bullmq': [{ ratioAtMost: 0.6 }],
    'idle-commands': [{ atMost: 1 }],
    'delay-lateness-p99': [{ atMost: 50 }],
    'delay-early': [{ atMost: 0 }],
    'key-order': [{ ratioAtLeast: 20 }],
  },
  processes: { 'open-second': [{ atMost: 200 }], 'take-over-most': [{ atMost: 2_500 }] },
}

/** The case with what is asked of it, and by how much it misses that. @param {string} question @param {import('./rounds.mjs').Case} each @returns {import('./rounds.mjs').Case} */
export function judged(question, each) {
  const asked = targets[question]?.[`${each.name}/${each.against}`] ?? targets[question]?.[each.name]
  if (!asked) return each
  const missed = asked.flatMap((target) => missedBy(target, each))
  return { ...each, asked: asked.map(words).join(' and '), ...(missed.length > 0 && { missedBy: missed.join(' and ') }) }
}

/** @param {Target} target */
function words(target) {
  if ('atLeast' in target) return `≥ ${target.atLeast.toLocaleString('en')}`
  if ('atMost' in target) return `≤ ${target.atMost.toLocaleString('en')}`
  return 'ratioAtLeast' in target ? `≥ ${target.ratioAtLeast} ×` : `≤ ${target.ratioAtMost} ×`
}

/** @param {Target} target @param {import('./rounds.mjs').Case} each @returns {readonly string[]} */
function missedBy(target, { value, ratio = Number.NaN }) {
  if ('atLeast' in target) return value >= target.atLeast ? [] : [percent(1 - value / target.atLeast)]
  if ('atMost' in target) return value <= target.atMost ? [] : [target.atMost === 0 ? String(value) : percent(value / target.atMost - 1)]
  if ('ratioAtLeast' in target) return ratio >= target.ratioAtLeast ? [] : [percent(1 - ratio / target.ratioAtLeast)]
  return ratio <= target.ratioAtMost ? [] : [percent(ratio / target.ratioAtMost - 1)]
}

/** @param {number} share */
function percent(share) {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`
}
