import { readFileSync } from 'node:fs'
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
  const extra = new Set(paths.filter((path) => !always.includes(path)).map(unit).filter((each) => !units.has(each)))
  return [...missing, ...without, ...reached.gone, ...[...extra].map((each) => `${each}.* ships and nothing declared reaches it (left from an older build? npm run clean)`)]
}

/** A source builds `x.js`, `x.d.ts` and `x.js.map`: they come and go together. */
function unit(path) {
  return path.replace(/(\.d\.ts|\.js|\.js\.map)$/, '')
}

function reachedFrom(folder, start, paths) {
  const queue = [...start]
  const found = new Set()
  const gone = []
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (found.has(path)) continue
    found.add(path)
    for (const next of importsOf(folder, path)) {
      if (paths.includes(next)) queue.push(next)
      else gone.push(`${path} needs ${next}, which is not in the package`)
    }
  }
  return { found, gone }
}

function importsOf(folder, path) {
  const { imports } = parse(path, readFileSync(join(folder, path), 'utf8'))
  const targets = imports.filter(({ specifier }) => specifier.startsWith('.')).map(({ specifier }) => posix.join(posix.dirname(path), specifier))
  return path.endsWith('.d.ts') ? targets.map((target) => target.replace(/\.js$/, '.d.ts')) : targets
}
