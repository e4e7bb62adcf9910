import assert from 'node:assert/strict'
import { describe, it } from 'vitest'
import { guard } from '../engine/guard.js'
import type { Traits } from '../engine/traits.js'
import { memoryHarness } from '../testing/harness/memory.js'
import { cases, type Harness, mutants, runCase, runMutant, runSuite } from './index.js'
import { delegate } from './mutants/mutant.js'

describe('the memory engine', () => {
  for (const each of cases) {
    it(`${each.noun}: ${each.name}`, async () => {
      const { result, error } = await runCase(each, memoryHarness)
      assert.ifError(error)
      assert.notEqual(result, 'failed')
    })
  }
})

describe('broken engines', () => {
  for (const mutant of mutants) {
    it(`the suite catches an engine that ${mutant.name}`, async () => {
      const { caught } = await runMutant(mutant, memoryHarness)
      assert.ok(caught, `"${mutant.expectCase}" lets it pass`)
    })
  }
})

describe('an engine that can do only what every engine must', () => {
  const traits: Traits = {
    durability: ['memory'], persistent: false, shared: false, beatsWhileBlocked: false, park: false, lend: false, broadcast: false,
    dedup: false, prepared: false, trim: false, cap: false, bands: 1, census: 'estimated',
  }

  const bareHarness = async (): Promise<Harness> => {
    const harness = await memoryHarness()
    return {
      ...harness,
      async open() {
        const instance = await harness.open()
        const engine = guard({ ...delegate(instance.engine), traits })
        await engine.open()
        return { engine, kill: () => instance.kill(), close: () => engine.close() }
      },
    }
  }

  it('passes the cases that need no trait and proves its refusals', async () => {
    const { failed, refused, passed, results } = await runSuite({ makeHarness: bareHarness })
    assert.deepEqual(results.filter(({ result }) => result === 'failed'), [])
    assert.equal(failed, 0)
    assert.equal(refused, cases.filter(({ needs }) => needs).length)
    assert.equal(passed + refused, cases.length)
  })

  it('is caught when it does not refuse what it cannot do', async () => {
    const silent = async (): Promise<Harness> => {
      const harness = await memoryHarness()
      return {
        ...harness,
        async open() {
          const instance = await harness.open()
          return { ...instance, engine: { ...delegate(instance.engine), traits } }
        },
      }
    }
    const provable = cases.filter(({ noun, needs }) => needs !== undefined && !needs(traits) && !['leases', 'durability', 'census'].includes(noun))
    const { failed } = await runSuite({ makeHarness: silent, filter: (each) => provable.includes(each) })
    assert.equal(failed, provable.length)
  })
})

describe('the suite', () => {
  it('has cases with names of their own, each that needs a trait with a refusal', () => {
    assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length)
    assert.deepEqual(cases.filter(({ needs, refusal }) => (needs === undefined) !== (refusal === undefined)), [])
  })

  it('calls a case that hangs a failure and names it', async () => {
    const hangs = { name: 'waits for ever', noun: 'none', run: () => new Promise<void>(() => undefined) }
    const { result, error } = await runCase(hangs, memoryHarness, 20)
    assert.equal(result, 'failed')
    assert.match(String(error), /waits for ever/)
  })

  it('calls a harness that cannot be made a failure', async () => {
    const [first] = cases
    const { result, error } = await runCase(first ?? assert.fail(), () => Promise.reject(new Error('no room')))
    assert.equal(result, 'failed')
    assert.match(String(error), /no room/)
  })
})
