#!/usr/bin/env node
// Holds the house to its rules: `npm run tidy`. The rules are in tools/tidy/rules.mjs.
import { fileURLToPath } from 'node:url'
import { arrows } from './tidy/arrows.mjs'
import { defaultExports } from './tidy/default-exports.mjs'
import { dependencies } from './tidy/dependencies.mjs'
import { errorPage } from './tidy/error-page.mjs'
import { links } from './tidy/links.mjs'
import { reached } from './tidy/reached.mjs'
import * as rules from './tidy/rules.mjs'
import { sizes } from './tidy/sizes.mjs'
import { readTree } from './tidy/tree.mjs'

const tree = readTree(fileURLToPath(new URL('..', import.meta.url)))
const problems = [(each) => each.unread, arrows, reached, sizes, defaultExports, dependencies, errorPage, links].flatMap((check) => check(tree, rules))
for (const problem of problems) console.error(problem)
console.log(problems.length === 0 ? `tidy: ${tree.sources.size} files, nothing to do` : `tidy: ${problems.length} to put right`)
process.exitCode = problems.length === 0 ? 0 : 1
