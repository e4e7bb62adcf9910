import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'
import { parse } from './parse.mjs'
import { skipped } from './rules.mjs'

/**
 * A checkout as tidy sees it: `sources` by path from the root, each parsed and with its imports resolved to
 * `{ specifier, line, file }` (a file of the tree) or `{ specifier, line, bare }` (the name of a package);
 * `packages` of the workspace; `unread`, why a source does not parse; `read` for any other file.
 */
export function readTree(root) {
  const paths = list(root)
  const packages = paths.filter((path) => /^packages\/[^/]+\/package\.json$/.test(path)).map((path) => readPackage(root, path))
  const tree = { root, paths, packages, sources: new Map(), unread: [], read: (path) => read(root, path), scripts: rootScripts(root) }
  for (const path of paths.filter((each) => /\.(ts|mts|mjs|js)$/.test(each) && !each.endsWith('.d.ts'))) readSource(tree, path)
  for (const [path, source] of tree.sources) source.imports = source.imports.map((each) => resolve(tree, path, each))
  return tree
}

function readSource(tree, path) {
  try {
    tree.sources.set(path, parse(path, tree.read(path)))
  } catch (error) {
    tree.unread.push(error.message)
  }
}

function list(root, folder = '') {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name)
    if (skipped.includes(entry.name)) return []
    return entry.isDirectory() ? list(root, path) : [path]
  })
}

function read(root, path) {
  return existsSync(join(root, path)) && statSync(join(root, path)).isFile() ? readFileSync(join(root, path), 'utf8') : undefined
}

function rootScripts(root) {
  return Object.values(JSON.parse(read(root, 'package.json') ?? '{}').scripts ?? {})
}

function readPackage(root, path) {
  const manifest = JSON.parse(read(root, path))
  const exported = Object.entries(manifest.exports ?? {}).filter(([, target]) => target !== null)
  const folder = posix.dirname(path)
  return {
    folder,
    name: manifest.name,
    manifest,
    /** Subpaths as one imports them, with the source each is built from. */
    subpaths: new Map(exported.map(([subpath, target]) => [posix.join(manifest.name, subpath), sourceOf(folder, typeof target === 'string' ? target : target.default)])),
    bins: Object.values(typeof manifest.bin === 'string' ? { bin: manifest.bin } : (manifest.bin ?? {})).map((target) => sourceOf(folder, target)),
  }
}

/** `./dist/x.js` and `./lib/x.js` are built from `src/x.ts`. */
function sourceOf(folder, built) {
  const path = posix.normalize(built).replace(/^(dist|lib)\//, 'src/').replace(/\.js$/, '.ts')
  return posix.join(folder, path)
}

function resolve(tree, from, { specifier, line }) {
  if (!specifier.startsWith('.')) return { specifier, line, bare: specifier }
  const path = posix.join(posix.dirname(from), specifier)
  const candidates = [path, path.replace(/\.js$/, '.ts'), path.replace(/\.mjs$/, '.mts'), ...tree.packages.map(({ folder }) => sourceOf(folder, posix.relative(folder, path)))]
  return { specifier, line, file: candidates.find((each) => tree.paths.includes(each)) ?? null, path }
}
