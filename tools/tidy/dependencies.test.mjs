import { expect, it } from 'vitest'
import { treeOf } from './broken-tree.harness.mjs'
import { dependencies } from './dependencies.mjs'

const file = 'packages/server/src/index.ts'
const manifest = (more) => ({ 'packages/server/package.json': { name: '@millrace/server', ...more } })
const problemsOf = (files, dependencyExceptions = []) => dependencies(treeOf(files), { dependencyExceptions })

it('a dependency is imported, or its types are', () => {
  const files = manifest({ dependencies: { fastify: '5', '@fastify/swagger': '9' }, devDependencies: { '@types/cli-progress': '3', 'cli-progress': '3' } })
  expect(problemsOf({ ...files, [file]: `import 'fastify'; import '@fastify/swagger/lib'; import 'cli-progress'` })).toEqual([])
})

it('a dependency that nobody imports is refused, in the root too', () => {
  expect(problemsOf({ ...manifest({ dependencies: { pino: '10' } }), [file]: '' })).toEqual(['packages/server/package.json: nobody imports pino: remove it'])
  expect(problemsOf({ ...manifest({}), 'package.json': { devDependencies: { zod: '4' } } })).toEqual(['package.json: nobody imports zod: remove it'])
})

it('an exception is needed', () => {
  const exception = { name: 'pino', why: 'a test' }
  expect(problemsOf({ ...manifest({ dependencies: { pino: '10' } }), [file]: '' }, [exception])).toEqual([])
  expect(problemsOf(manifest({}), [exception])).toEqual([expect.stringContaining('pino needs no exception')])
})
