#!/usr/bin/env node
// Tests what ships: packs each public package, installs it alone, imports and type-checks every subpath.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkTypes, importEach } from './package-check/consumer.mjs'
import { contents } from './package-check/contents.mjs'
import { importCost } from './package-check/import-cost.mjs'
import { installAlone, pack, run } from './package-check/npm.mjs'

const root = fileURLToPath(new URL('../packages/', import.meta.url))
const library = 'millrace'
const importLimitMs = 15

const scratch = mkdtempSync(join(tmpdir(), 'millrace-packages-'))
try {
  process.exitCode = checkAll() ? 0 : 1
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

function checkAll() {
  const packages = readdirSync(root).map((name) => join(root, name)).map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }))
  const packed = packages.filter(({ manifest }) => !manifest.private).map((each) => ({ ...each, ...pack(each.folder, scratch) }))
  const problems = packed.flatMap((each) => check(each, packed).map((problem) => `${each.manifest.name}: ${problem}`))
  for (const problem of problems) console.error(problem)
  console.log(problems.length === 0 ? `package check: ${packed.map(({ manifest }) => manifest.name).join(', ')} ship what they say` : `package check: ${problems.length} to put right`)
  return problems.length === 0
}

function check({ folder, manifest, paths, file }, packed) {
  const inside = contents(folder, manifest, paths)
  if (inside.length > 0) return inside
  const siblings = packed.filter((each) => manifest.dependencies?.[each.manifest.name])
  const home = join(scratch, manifest.name.replace('/', '-'))
  installAlone(home, [file, ...siblings.map((each) => each.file)])
  const subpaths = Object.keys(manifest.exports).map((subpath) => posix.join(manifest.name, subpath))
  const problems = [...importEach(home, subpaths), ...checkTypes(home, subpaths), ...Object.keys(manifest.bin ?? {}).flatMap((name) => checkCommand(home, name))]
  return manifest.name === library ? [...problems, ...checkLibrary(home, manifest)] : problems
}

/** The library has no runtime dependencies and costs next to nothing to import. */
function checkLibrary(home, manifest) {
  const needs = ['dependencies', 'peerDependencies', 'optionalDependencies'].flatMap((kind) => Object.keys(manifest[kind] ?? {}))
  const installed = readdirSync(join(home, 'node_modules')).filter((name) => !name.startsWith('.') && name !== library)
  const problems = [...new Set([...needs, ...installed])].map((name) => `brings ${name} along and must bring nothing`)
  const cost = importCost(home, library, importLimitMs)
  console.log(`import of ${library} adds ${cost.toFixed(1)} ms to a bare start, the limit is ${importLimitMs}`)
  return cost < importLimitMs ? problems : [...problems, `import adds ${cost.toFixed(1)} ms to a bare start, the limit is ${importLimitMs}`]
}

function checkCommand(home, name) {
  try {
    const help = run(join(home, 'node_modules/.bin', name), ['--help'], { cwd: home, timeout: 20_000 })
    return help.trim() === '' ? [`${name} --help says nothing`] : []
  } catch (error) {
    return [`${name} --help: ${error.message}`]
  }
}
