#!/usr/bin/env node
// Packs the modules that a package's exports reach into a few files, `dist` into `lib`: each module that Node loads costs
// a fifth of a millisecond, and the library has more than a hundred. Part of `npm run build`.
import { readFileSync, readdirSync, rmSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { parse } from './tidy/parse.mjs'

const folder = fileURLToPath(new URL('../packages/millrace/', import.meta.url))
const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
const subpaths = Object.values(exports).map((target) => target.default.replace(/^\.\/(dist|lib)\//, ''))
const names = [...subpaths, ...workersOf(subpaths)].map((path) => path.replace(/\.js$/, ''))

const bundle = await rolldown({
  input: Object.fromEntries(names.map((name) => [name, join(folder, 'dist', `${name}.js`)])),
  platform: 'node',
  external: /^node:/,
})
// What several entries share is two files: the contract, for whoever writes an engine, and the rest of the library.
const groups = [
  { name: 'contract', test: /dist\/(core|engine)\// },
  { name: 'library', test: /dist\/(broker|routing|engines\/memory)\// },
]
// An entry keeps its place, because who starts a worker names it by a relative path.
const { output } = await bundle.write({ dir: join(folder, 'lib'), format: 'esm', sourcemap: true, entryFileNames: '[name].js', chunkFileNames: 'shared/[name].js', codeSplitting: { groups } })
await bundle.close()

const written = new Set(output.map(({ fileName }) => fileName))
for (const path of readdirSync(join(folder, 'lib'), { recursive: true })) {
  const name = path.replaceAll('\\', '/')
  if (name.includes('.') && !written.has(name)) rmSync(join(folder, 'lib', path))
}

/** The files that reached ones start as worker threads. */
function workersOf(entries) {
  const seen = new Set()
  const workers = []
  const queue = [...entries]
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (seen.has(path)) continue
    seen.add(path)
    const { imports } = parse(path, readFileSync(join(folder, 'dist', path), 'utf8'))
    for (const { specifier, isUrl } of imports) {
      if (!specifier.startsWith('.')) continue
      const target = posix.join(posix.dirname(path), specifier)
      queue.push(target)
      if (isUrl) workers.push(target)
    }
  }
  return workers
}
