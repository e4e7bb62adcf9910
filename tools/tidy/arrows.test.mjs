import { describe, expect, it } from 'vitest'
import { arrows } from './arrows.mjs'
import { treeOf } from './broken-tree.harness.mjs'
import * as rules from './rules.mjs'

const src = 'packages/millrace/src'
const problemsOf = (files, exceptions = []) => arrows(treeOf(files), { ...rules, arrowExceptions: exceptions })

describe('arrows', () => {
  it('may point down, within a room, and to Node', () => {
    const files = {
      [`${src}/core/clock.ts`]: `import { hrtime } from 'node:process'`,
      [`${src}/core/hold.ts`]: `import type { Millis } from './clock.js'`,
      [`${src}/engine/engine.ts`]: `import type { Hold } from '../core/hold.js'`,
      [`${src}/engines/memory/memory.ts`]: `export * from '../../engine/engine.js'`,
      [`${src}/index.ts`]: `export * from './engines/memory/memory.js'`,
      'packages/server/src/index.ts': `import 'millrace'; import 'fastify'`,
    }
    expect(problemsOf(files)).toEqual([])
  })

  const wrong = {
    'from core to engine': [`${src}/core/x.ts`, `import '../engine/y.js'`, `${src}/engine/y.ts`],
    'from one engine to another': [`${src}/engines/memory/x.ts`, `import '../embedded/y.js'`, `${src}/engines/embedded/y.ts`],
    'from the broker to an engine': [`${src}/broker/x.ts`, `await import('../engines/memory/y.js')`, `${src}/engines/memory/y.ts`],
    'from the index to any engine but memory': [`${src}/index.ts`, `export * from './engines/embedded/y.js'`, `${src}/engines/embedded/y.ts`],
    'in a type': [`${src}/core/x.ts`, `export type Y = import('../engine/y.js').Y`, `${src}/engine/y.ts`],
    'to a worker': [`${src}/core/x.ts`, `new Worker(new URL('../engine/y.js', import.meta.url))`, `${src}/engine/y.ts`],
    'again by export': [`${src}/routing/x.ts`, `export { y } from '../broker/y.js'`, `${src}/broker/y.ts`],
    'deep into another package': ['packages/server/src/api/x.ts', `import '../../../millrace/src/core/y.js'`, `${src}/core/y.ts`],
    'deep into what another package built': ['packages/server/src/api/x.ts', `import '../../../millrace/dist/core/y.js'`, `${src}/core/y.ts`],
  }
  for (const [where, [file, text, target]] of Object.entries(wrong)) {
    it(`must not point up: ${where}`, () => {
      expect(problemsOf({ [file]: text, [target]: '' })).toEqual([expect.stringContaining(`${file}:1: `)])
    })
  }

  it('reach a package by its public subpaths only', () => {
    expect(problemsOf({ 'packages/server/src/api/x.ts': `import 'millrace/dist/core/y.js'` })).toEqual([expect.stringContaining('is not a public subpath of millrace')])
  })

  it('go from the server to the library and not back', () => {
    expect(problemsOf({ [`${src}/core/x.ts`]: `import '@millrace/server'` })).toEqual([expect.stringContaining('must not import @millrace/server')])
  })

  it('reach only packages that the package depends on', () => {
    expect(problemsOf({ [`${src}/core/x.ts`]: `\nimport type { Database } from 'lmdb'` })).toEqual([expect.stringContaining(`${src}/core/x.ts:2: `)])
  })

  it('let a test use every room of its own package and the tools for tests', () => {
    expect(problemsOf({ [`${src}/core/x.test.ts`]: `import 'vitest'; import '../engine/y.js'`, [`${src}/engine/y.ts`]: '' })).toEqual([])
  })

  it('go from the command to the files of its package and not back', () => {
    expect(problemsOf({ 'packages/server/src/cli/main.ts': `import '../index.js'`, 'packages/server/src/index.ts': `import './serve.js'`, 'packages/server/src/serve.ts': '' })).toEqual([])
    expect(problemsOf({ 'packages/server/src/index.ts': `import './cli/main.js'` })).toEqual([expect.stringContaining('must not import packages/server/src/cli')])
  })

  it('lead to files that are there', () => {
    expect(problemsOf({ [`${src}/core/x.ts`]: `import './gone.js'` })).toEqual([expect.stringContaining('./gone.js is not a file')])
  })

  it('start in a room', () => {
    expect(problemsOf({ [`${src}/utils/x.ts`]: '' })).toEqual([expect.stringContaining('no room')])
  })

  it('may be excepted, as long as the exception is needed', () => {
    const exception = { file: `${src}/core/x.ts`, to: `${src}/engine`, why: 'a test' }
    expect(problemsOf({ [`${src}/core/x.ts`]: `import '../engine/y.js'`, [`${src}/engine/y.ts`]: '' }, [exception])).toEqual([])
    expect(problemsOf({}, [exception])).toEqual([expect.stringContaining('remove the exception')])
  })
})
