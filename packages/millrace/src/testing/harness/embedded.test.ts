import assert from 'node:assert/strict'
import { describe, it } from 'vitest'
import { cases, runCase } from '../../conformance/index.js'
import { embeddedHarness } from './embedded.js'

const lmdb = import.meta.resolve('lmdb')

describe('the embedded engine', () => {
  for (const each of cases) {
    it(`${each.noun}: ${each.name}`, async () => {
      const { result, error } = await runCase(each, () => embeddedHarness(lmdb))
      assert.ifError(error)
      assert.notEqual(result, 'failed')
    })
  }
})
