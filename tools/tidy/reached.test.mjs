import { describe, expect, it } from 'vitest'
import { treeOf } from './broken-tree.harness.mjs'
import { reached } from './reached.mjs'
import * as rules from './rules.mjs'

const src = 'packages/millrace/src'
const problemsOf = (files, entries = []) => reached(treeOf(files), { ...rules, entries })

describe('a file is reached', () => {
  it('from the exports and the commands of a package', () => {
    const files = {
      [`${src}/index.ts`]: `export * from './core/x.js'`,
      [`${src}/core/x.ts`]: '',
      'packages/server/src/cli/main.ts': `const { serve } = await import('./serve.js')`,
      'packages/server/src/cli/serve.ts': '',
    }
    expect(problemsOf(files)).toEqual([])
  })

  it('as the entry point of a worker thread', () => {
    expect(problemsOf({ [`${src}/index.ts`]: `new Worker(new URL('./beat.js', import.meta.url))`, [`${src}/beat.ts`]: '' })).toEqual([])
  })

  it('from a script, and through what a script imports', () => {
    const files = { 'package.json': { scripts: { tidy: 'node tools/tidy.mjs --all' } }, 'tools/tidy.mjs': `import './a.mjs'`, 'tools/a.mjs': '' }
    expect(problemsOf(files)).toEqual([])
  })

  it('from an example', () => {
    expect(problemsOf({ 'examples/01-hello/main.mjs': `import './words.mjs'`, 'examples/01-hello/words.mjs': '' })).toEqual([])
  })

  it('from an entry in the table, which must be there', () => {
    expect(problemsOf({ 'vitest.config.ts': '' }, [{ file: 'vitest.config.ts', why: 'a test' }])).toEqual([])
    expect(problemsOf({}, [{ file: 'vitest.config.ts', why: 'a test' }])).toEqual([expect.stringContaining('is not there')])
  })
})

describe('a file is reached by nobody', () => {
  it('when only another such file names it', () => {
    expect(problemsOf({ [`${src}/core/x.ts`]: `import './y.js'`, [`${src}/core/y.ts`]: '' })).toHaveLength(2)
  })

  it('when only a comment or a text names it', () => {
    expect(problemsOf({ [`${src}/index.ts`]: `// import './x.js'\nexport const text = "import './x.js'"`, [`${src}/x.ts`]: '' })).toEqual([expect.stringContaining('nobody reaches it')])
  })

  it('that ships, when only tests name it, unless it is a harness', () => {
    expect(problemsOf({ [`${src}/x.test.ts`]: `import './x.js'`, [`${src}/x.ts`]: '' })).toEqual([expect.stringContaining('only tests reach it')])
    expect(problemsOf({ [`${src}/x.test.ts`]: `import './x.harness.js'`, [`${src}/x.harness.ts`]: '' })).toEqual([])
    expect(problemsOf({ [`${src}/index.ts`]: `import './x.harness.js'`, [`${src}/x.harness.ts`]: '' })).toEqual([expect.stringContaining('what ships reaches it')])
  })
})

it('what a package.json exports is there', () => {
  const manifest = { name: 'millrace', exports: { './gone': { default: './dist/gone.js' } } }
  expect(problemsOf({ 'packages/millrace/package.json': manifest, [`${src}/index.ts`]: '' })).toContainEqual(`${src}/gone.ts: a package.json exports it and it is not there`)
})
