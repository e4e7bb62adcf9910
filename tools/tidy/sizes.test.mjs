import { describe, expect, it } from 'vitest'
import { treeOf } from './broken-tree.harness.mjs'
import * as rules from './rules.mjs'
import { sizes } from './sizes.mjs'

const file = 'packages/millrace/src/core/x.ts'
const lines = (count) => 'void 0\n'.repeat(count)
const limits = { ...rules.limits, fileLines: 12, testFileLines: 20, functionLines: 5 }
const problemsOf = (files, sizeExceptions = []) => sizes(treeOf(files), { ...rules, limits, sizeExceptions })

describe('a size', () => {
  it('may reach the limit', () => {
    expect(problemsOf({ [file]: lines(12) })).toEqual([])
    expect(problemsOf({ [file]: `function five() {\n${lines(3)}}` })).toEqual([])
  })

  it('of a file must not pass it', () => {
    expect(problemsOf({ [file]: lines(13) })).toEqual([expect.stringContaining('13 lines, the limit is 12')])
  })

  it('of a test file has a limit of its own', () => {
    expect(problemsOf({ 'packages/millrace/src/core/x.test.ts': lines(20) })).toEqual([])
    expect(problemsOf({ 'packages/millrace/src/core/x.test.ts': lines(21) })).toHaveLength(1)
  })

  const functions = {
    six: `function six() {\n${lines(4)}}`,
    seven: `const seven = async () => {\n${lines(4)}}`,
    eight: `class Box {\n  eight() {\n${lines(4)}}\n}`,
    nine: `const box = {\n  get nine() {\n${lines(4)}}\n}`,
    'the callback of it': `it('works', () => {\n${lines(4)}})`,
  }
  for (const [name, text] of Object.entries(functions)) {
    it(`of a function must not pass it: ${name}`, () => {
      expect(problemsOf({ [file]: text })).toEqual([expect.stringContaining(`${name}: 6 lines, the limit is 5`)])
    })
  }

  it('does not count chapters of a test file', () => {
    expect(problemsOf({ [file]: `describe.each([1])('x', () => {\n${lines(6)}})` })).toEqual([])
  })

  it('may have an exception, which has a limit too and a reason, and is needed', () => {
    expect(problemsOf({ [file]: lines(13) }, [{ file, lines: 13, why: 'a table' }])).toEqual([])
    expect(problemsOf({ [file]: lines(14) }, [{ file, lines: 13, why: 'a table' }])).toEqual([expect.stringContaining('the limit is 13')])
    expect(problemsOf({ [file]: lines(13) }, [{ file, lines: 13 }])).toEqual([expect.stringContaining('gives no reason')])
    expect(problemsOf({ [file]: lines(12) }, [{ file, lines: 13, why: 'a table' }])).toEqual([expect.stringContaining('remove the exception')])
  })
})
