import { existsSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { parse } from '../tidy/parse.mjs'

const always = ['package.json', 'README.md', 'LICENSE']

/** What is declared is in the package, and what is in the package is declared or reached from what is. */
export function contents(folder, { exports, bin = {} }, paths) {
  const declared = [...Object.values(exports).flatMap((target) => Object.values(target)), ...Object.values(bin)].map((target) => posix.normalize(target))
  const missing = declared.filter((path) => !paths.includes(path)).map((path) => `${path} is declared and not in the package`)
  const without = always.filter((path) => !paths.includes(path)).map((path) => `${path} is not in the package`)
  const reached = reachedFrom(folder, declared.filter((path) => paths.includes(path)), paths)
  const units = new Set([...reached.found].map(unit))
  const extra = new Set(paths.filter((path) => !always.includes(path)).map(unit).filter((each) => !units.has(each) && !isTypesOnly(folder, each)))
  return [...missing, ...without, ...reached.gone, ...[...extra].map((each) => `${each}.* ships and nothing declared reaches it (left from an older build? npm run clean)`)]
}

/** A source builds `x.js`, `x.d.ts` and `x.js.map`: they come and go together. */
function unit(path) {
  return path.replace(/(\.d\.ts|\.js|\.js\.map)$/, '')
}

/** A module of types leaves nothing behind when it is compiled, so that nothing can be seen to reach it. */
function isTypesOnly(folder, name) {
  const compiled = join(folder, `${name}.js`)
  return existsSync(compiled) && readFileSync(compiled, 'utf8').replace(/^\/\/#.*$/m, '').trim() === 'export {};'
}

/** Follows imports; with a file come its declarations, and those of the modules that were packed into it. */
function reachedFrom(folder, start, paths) {
  const queue = [...start]
  const found = new Set()
  const gone = []
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (found.has(path)) continue
    found.add(path)
    queue.push(...[path, ...packedInto(folder, path)].map((each) => `${unit(each)}.d.ts`).filter((each) => paths.includes(each)))
    for (const next of importsOf(folder, path)) {
      if (paths.includes(next)) queue.push(next)
      else gone.push(`${path} needs ${next}, which is not in the package`)
    }
  }
  return { found, gone }
}

/** The modules that were packed into a file, as its map says. */
function packedInto(folder, path) {
  const map = join(folder, `${path}.map`)
  if (!existsSync(map)) return []
  return JSON.parse(readFileSync(map, 'utf8')).sources.map((source) => posix.join(posix.dirname(path), source))
}

function importsOf(folder, path) {
  if (!/\.(js|ts)$/.test(path)) return []
  const { imports } = parse(path, readFileSync(join(folder, path), 'utf8'))
  const targets = imports.filter(({ specifier }) => specifier.startsWith('.')).map(({ specifier }) => posix.join(posix.dirname(path), specifier))
  return path.endsWith('.d.ts') ? targets.map((target) => target.replace(/\.js$/, '.d.ts')) : targets
}
