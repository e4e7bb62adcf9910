import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { run } from './npm.mjs'

const require = createRequire(import.meta.url)
const resolutions = { nodenext: 'nodenext', bundler: 'esnext' }

/** Imports each subpath in a process of its own, which must end by itself. */
export function importEach(folder, subpaths) {
  const problems = []
  for (const subpath of subpaths) {
    try {
      run(process.execPath, ['--input-type=module', '--eval', `await import('${subpath}')`], { cwd: folder, timeout: 20_000 })
    } catch (error) {
      problems.push(`import of ${subpath}: ${error.message}`)
    }
  }
  return problems
}

/** Type-checks a little consumer of each subpath, declarations included, as both ways of finding modules see it. */
export function checkTypes(folder, subpaths) {
  const source = join(folder, 'consumer')
  mkdirSync(source)
  const imports = subpaths.map((subpath, index) => `import * as part${index} from '${subpath}'`)
  writeFileSync(join(source, 'consumer.ts'), `${imports.join('\n')}\nexport const parts: readonly object[] = [${subpaths.map((_, index) => `part${index}`).join(', ')}]\n`)
  return Object.entries(resolutions).flatMap(([moduleResolution, module]) => checkWith(source, { module, moduleResolution }))
}

function checkWith(folder, options) {
  const common = { target: 'es2023', lib: ['es2023'], strict: true, exactOptionalPropertyTypes: true, noEmit: true, skipLibCheck: false }
  const node = { typeRoots: [dirname(dirname(require.resolve('@types/node/package.json')))], types: ['node'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...common, ...node, ...options }, files: ['consumer.ts'] }))
  try {
    run(process.execPath, [join(dirname(require.resolve('typescript/package.json')), 'bin/tsc'), '--project', folder])
    return []
  } catch (error) {
    return [`types with moduleResolution ${options.moduleResolution}: ${error.message}`]
  }
}
