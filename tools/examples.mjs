#!/usr/bin/env node
// Runs every example and every program on a page and compares what it prints: `npm run examples -- [part of a name]`.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { programsOf } from './examples/pages.mjs'
import { Servers } from './examples/servers.mjs'
import { build, equip, mainOf, output } from './examples/workplace.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const wanted = process.argv[2] ?? ''
const scratch = mkdtempSync(join(tmpdir(), 'millrace-examples-'))
const servers = new Servers()
let skipped = 0
/** Examples that run once more on each server, whose place they take from the environment, and print the same. */
const onServers = { '02-vocabulary': ['kafka', 'redis'] }

try {
  equip(scratch, root)
  const programs = [...examples(), ...pages()].filter(({ name }) => name.includes(wanted))
  const complaints = build(scratch, programs.map(({ file }) => file))
  const failures = [...wordForWord(), ...(complaints === '' ? await runAll(programs) : [complaints])]
  for (const failure of failures) console.error(failure)
  console.log(failures.length === 0 ? `examples: ${programs.length - skipped} print what they say, ${skipped} skipped` : `examples: ${failures.length} to put right`)
  process.exitCode = failures.length === 0 ? 0 : 1
} finally {
  await servers.close()
  rmSync(scratch, { recursive: true, force: true })
}

/** Each numbered folder of examples/, copied, with its program and its expected.txt. */
function examples() {
  const names = readdirSync(join(root, 'examples')).filter((name) => /^\d\d-/.test(name))
  return names.flatMap((name) => {
    const folder = join(root, 'examples', name)
    const main = mainOf(folder)
    if (main === undefined) throw new Error(`examples/${name} has no main.mjs and no main.ts`)
    const expected = join(folder, 'expected.txt')
    cpSync(folder, join(scratch, 'examples', name), { recursive: true })
    const program = { name: `examples/${name}`, file: join('examples', name, main), expected: existsSync(expected) ? readFileSync(expected, 'utf8') : '' }
    const others = onServers[name] ?? []
    return [program, ...others.map((needs) => ({ ...program, name: `${program.name} on ${needs}`, needs }))]
  })
}

/** Each program of a page, in a folder of its own. */
function pages() {
  const all = ['README.md', 'README.zh-CN.md', ...readdirSync(join(root, 'docs'), { recursive: true }).filter((path) => path.endsWith('.md')).map((path) => join('docs', path))]
  return all.flatMap((page) => programsOf(page, readFileSync(join(root, page), 'utf8'))).map(({ page, line, language, needs, code, expected }) => {
    const file = join('pages', `${page.replaceAll('/', '-')}-${line}`, language === 'ts' ? 'main.ts' : 'main.mjs')
    mkdirSync(dirname(join(scratch, file)), { recursive: true })
    writeFileSync(join(scratch, file), code)
    return { name: `${page}:${line}`, file, needs, expected }
  })
}

/** The first program of the README is the first example. */
function wordForWord() {
  const [readme] = programsOf('README.md', readFileSync(join(root, 'README.md'), 'utf8'))
  return readme?.code === readFileSync(join(root, 'examples/01-hello/main.mjs'), 'utf8') ? [] : ['the first program of README.md is not examples/01-hello/main.mjs']
}

async function runAll(programs) {
  const failures = []
  for (const { name, file, needs, expected } of programs) {
    const { env, missing } = needs === undefined ? {} : await servers.environment(needs)
    if (missing !== undefined) {
      skipped += 1
      console.log(`skipped     ${name}: ${missing}`)
      continue
    }
    const built = join(scratch, file.replace(/\.ts$/, '.js'))
    const printed = await output(dirname(built), built, env)
    console.log(`${printed === expected ? 'as expected' : 'DIFFERENT  '} ${name}`)
    if (printed !== expected) failures.push(`${name} printed\n${printed}and should have printed\n${expected}`)
  }
  return failures
}
