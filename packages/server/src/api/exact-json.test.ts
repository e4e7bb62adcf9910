import { expect, test } from 'vitest'
import { inexactNumber } from './exact-json.js'

test.each([
  ['{"id":9007199254740993}', '9007199254740993'],
  ['[-12345678901234567890]', '-12345678901234567890'],
  ['{"a":"\\"1","b":1152921504606846976}', '1152921504606846976'],
  ['{"id":9007199254740991}', undefined],
  ['{"id":"9007199254740993"}', undefined],
  ['{"a":"x\\\\","b":"12345678901234567890"}', undefined],
  ['[0.12345678901234567890, 1e300, 123456789012345678e2, 1763726400000]', undefined],
  ['"12345678901234567890"', undefined],
])('%s has %s', (json, found) => {
  expect(inexactNumber(json)).toBe(found)
})
