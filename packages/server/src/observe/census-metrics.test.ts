import type { GroupCensus, TopicCensus } from 'millrace'
import { expect, test } from 'vitest'
import { censusMetrics } from './census-metrics.js'
import { exposition } from './exposition.js'

function topic(name: string, published: number, groups: readonly GroupCensus[] = []): TopicCensus {
  return { topic: name, published, messages: published, bytes: 10, delayed: 1, prepared: 1, partitions: [], groups }
}

const group: GroupCensus = { group: 'g', members: 1, paused: false, ready: 2, leased: 1, lag: 3, oldest: 5_000, retrying: 0, lent: 0, parked: 0, dead: 1, settled: 7, purged: 0 }

test('topics beyond the cap share one series, so that a scrape stays small', () => {
  const topics = Array.from({ length: 1_200 }, (_, index) => topic(`t${index}`, 1))
  const text = exposition(censusMetrics({ at: 10_000, topics }, 1_000))
  expect(text).toContain('millrace_messages_published_total{topic="t999"} 1\n')
  expect(text).not.toContain('"t1000"')
  expect(text).toContain('millrace_messages_published_total{topic="_other"} 200\n')
})

test('lag is told in messages and in seconds', () => {
  const text = exposition(censusMetrics({ at: 10_000, topics: [topic('a', 9, [group])] }, 1_000))
  expect(text).toContain('millrace_group_lag_messages{topic="a",group="g"} 3\n')
  expect(text).toContain('millrace_group_lag_seconds{topic="a",group="g"} 5\n')
  expect(text).toContain('millrace_topic_messages{topic="a",state="delayed"} 2\n')
})

test('labels cannot break out of their quotes', () => {
  expect(exposition([{ name: 'x', type: 'gauge', help: 'h', samples: [{ labels: { a: 'b"c\\d\ne' }, value: 1 }] }])).toBe('# HELP x h\n# TYPE x gauge\nx{a="b\\"c\\\\d\\ne"} 1\n')
})
