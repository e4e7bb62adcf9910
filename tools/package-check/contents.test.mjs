import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { contents } from './contents.mjs'

const manifest = { exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } } }
const always = { 'package.json': '{}', 'README.md': '', LICENSE: '' }
const index = { 'dist/index.js': `export * from './x.js'`, 'dist/index.d.ts': `export * from './x.js'` }
const x = { 'dist/x.js': 'export const x = 1', 'dist/x.js.map': '{"sources":[]}', 'dist/x.d.ts': 'export declare const x = 1' }

function problemsOf(files, declared = manifest) {
  const folder = mkdtempSync(join(tmpdir(), 'contents-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return contents(folder, declared, Object.keys(files))
}

describe('a package', () => {
  it('has what its exports reach, with declarations and maps', () => {
    expect(problemsOf({ ...always, ...index, ...x })).toEqual([])
  })

  it('has every file that it declares', () => {
    const declared = { exports: { ...manifest.exports, './gone': { default: './dist/gone.js' } }, bin: { tool: './dist/tool.js' } }
    expect(problemsOf({ ...always, ...index, ...x }, declared)).toEqual(['dist/gone.js is declared and not in the package', 'dist/tool.js is declared and not in the package'])
  })

  it('has a licence and a page', () => {
    const { LICENSE: _, ...rest } = always
    expect(problemsOf({ ...rest, ...index, ...x })).toEqual(['LICENSE is not in the package'])
  })

  it('has no file that nothing reaches', () => {
    expect(problemsOf({ ...always, ...index, ...x, 'dist/y.test.js': 'void 0', 'dist/notes.txt': '' })).toEqual([
      expect.stringContaining('dist/y.test.* ships'),
      expect.stringContaining('dist/notes.txt.* ships'),
    ])
  })

  it('has what its files need, a worker too', () => {
    const worker = `new Worker(new URL('./worker.js', import.meta.url))`
    expect(problemsOf({ ...always, ...index, ...x, 'dist/x.js': worker })).toEqual(['dist/x.js needs dist/worker.js, which is not in the package'])
    expect(problemsOf({ ...always, ...index, ...x, 'dist/x.js': worker, 'dist/worker.js': 'void 0' })).toEqual([])
  })

  it('has the declarations of modules that were packed into one file', () => {
    const packed = { exports: { '.': { types: './dist/index.d.ts', default: './lib/index.js' } } }
    const files = { 'lib/index.js': 'export const x = 1', 'lib/index.js.map': '{"sources":["../dist/inner.js"]}', 'dist/index.d.ts': 'export {}', 'dist/inner.d.ts': 'export {}' }
    expect(problemsOf({ ...always, ...files }, packed)).toEqual([])
  })

  it('may have a module that is all types', () => {
    expect(problemsOf({ ...always, ...index, ...x, 'dist/shape.js': 'export {};\n//# sourceMappingURL=shape.js.map\n', 'dist/shape.d.ts': 'export interface Shape {}' })).toEqual([])
  })
})
