import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { readTree } from './tree.mjs'

const manifests = {
  'package.json': { scripts: {} },
  'packages/millrace/package.json': { name: 'millrace', exports: { '.': { default: './dist/index.js' } } },
  'packages/server/package.json': { name: '@millrace/server', dependencies: { millrace: '0.1.0', fastify: '5' }, exports: { '.': './dist/index.js' }, bin: { millrace: './dist/cli/main.js' } },
}
const sources = { 'packages/millrace/src/index.ts': '', 'packages/server/src/index.ts': '', 'packages/server/src/cli/main.ts': '' }

/** A little checkout in a temporary folder: two packages with nothing in them, and `files` on top, as tidy reads it. */
export function treeOf(files) {
  const root = mkdtempSync(join(tmpdir(), 'tidy-'))
  try {
    const contents = Object.entries({ ...manifests, ...sources, ...files }).map(([path, content]) => [path, typeof content === 'string' ? content : JSON.stringify(content)])
    for (const [path, content] of contents) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), content)
    }
    return { ...readTree(root), read: (path) => new Map(contents).get(path) }
  } finally {
    rmSync(root, { recursive: true })
  }
}
