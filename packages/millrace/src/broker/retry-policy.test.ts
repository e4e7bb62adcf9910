import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MillraceError } from '../core/index.js'
import { custom, delayOf, errorRules, exponential, fixed, judge, policyData, type Retry, steps } from './retry-policy.js'

const half = (): number => 0.5
const waits = (retry: Retry, count: number, random = half): number[] => Array.from({ length: count }, (_, index) => delayOf(retry, index + 1, undefined, random))

describe('waits', () => {
  test('grow by the factor up to the longest', () => {
    expect(waits(exponential({ attempts: 9, firstMs: 100, factor: 3, maxMs: 1_000, jitter: 'none' }), 4)).toEqual([100, 300, 900, 1_000])
  })

  test('stay the same when fixed', () => {
    expect(waits(fixed({ attempts: 3, everyMs: 50 }), 3)).toEqual([50, 50, 50])
  })

  test('follow the steps, the last one repeating', () => {
    expect(waits(steps([10, 200]), 3)).toEqual([10, 200, 200])
    expect(steps([10, 200]).attempts).toBe(3)
  })

  test('are computed when custom, and never negative or endless', () => {
    const retry = custom({ attempts: 5, delayMs: (attempt, error) => (error instanceof RangeError ? Number.NaN : attempt - 3) })
    expect(delayOf(retry, 1, undefined, half)).toBe(0)
    expect(delayOf(retry, 5, undefined, half)).toBe(2)
    expect(Number.isFinite(delayOf(retry, 1, new RangeError(), half))).toBe(true)
  })

  test('with full jitter are anything up to the whole, with equal jitter at least half', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.double({ min: 0, max: 0.999_999, noNaN: true }), (attempt, random) => {
        const whole = delayOf(exponential({ attempts: 999, jitter: 'none' }), attempt, undefined, half)
        const full = delayOf(exponential({ attempts: 999 }), attempt, undefined, () => random)
        const equal = delayOf(exponential({ attempts: 999, jitter: 'equal' }), attempt, undefined, () => random)
        expect(full).toBeLessThanOrEqual(whole)
        expect(full).toBeGreaterThanOrEqual(0)
        expect(equal).toBeLessThanOrEqual(whole)
        expect(equal).toBeGreaterThanOrEqual(whole / 2)
      }),
    )
  })
})

describe('rules', () => {
  const rules = errorRules([
    { match: { code: 'ECONNRESET' }, retry: fixed({ attempts: 10, everyMs: 5 }), when: 'later' },
    { match: { name: 'TypeError', message: '^bad' }, deadLetter: true },
    { match: { message: /busy/i }, retry: fixed({ attempts: 2, everyMs: 7 }) },
  ])

  test('the first that matches counts', () => {
    expect(judge(rules, Object.assign(new Error('x'), { code: 'ECONNRESET' }), 1, half)).toEqual({ is: 'again', when: 'later', delayMs: 5 })
    expect(judge(rules, new TypeError('bad thing'), 1, half)).toEqual({ is: 'dead' })
    expect(judge(rules, new Error('Server Busy'), 1, half)).toEqual({ is: 'again', when: 'in-place', delayMs: 7 })
    expect(judge(rules, new Error('Server Busy'), 2, half)).toEqual({ is: 'dead' })
  })

  test('what none matches is retried by the default, whatever was thrown', () => {
    for (const thrown of [new TypeError('good'), 'text', null, undefined, 7, {}, new MillraceError('INVALID', 'x')]) {
      expect(judge(rules, thrown, 4, half)).toMatchObject({ is: 'again', when: 'in-place' })
      expect(judge(rules, thrown, 5, half)).toEqual({ is: 'dead' })
    }
  })

  test('are data, that says the same after a journey as JSON', () => {
    const data = policyData([{ match: { message: /^bad/ }, deadLetter: true }, { retry: exponential({ attempts: 3, jitter: 'none' }) }])
    const back = errorRules(JSON.parse(JSON.stringify(data)) as typeof data)
    expect(judge(back, new Error('bad'), 1, half)).toEqual({ is: 'dead' })
    expect(judge(back, new Error('else'), 2, half)).toEqual({ is: 'again', when: 'in-place', delayMs: 200 })
    expect(() => policyData(custom({ attempts: 2, delayMs: () => 1 }))).toThrow(/not data/)
  })

  test('that cannot be kept are refused, naming the field', () => {
    expect(() => errorRules(fixed({ attempts: 0, everyMs: 1 }))).toThrow(expect.objectContaining({ code: 'INVALID', field: 'retry.0.attempts' }))
    expect(() => errorRules([{ match: { message: '(' }, deadLetter: true }])).toThrow(expect.objectContaining({ code: 'INVALID', field: 'retry.0.match.message' }))
  })
})
