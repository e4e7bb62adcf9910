#!/usr/bin/env node
// Checks a kept history: `node faults/check.mjs FOLDER [--json]`.
import { parseArgs } from 'node:util'
import { checkHistory } from './checker.mjs'
import { historyFiles, readHistory } from './history.mjs'

const { positionals, values } = parseArgs({ allowPositionals: true, options: { json: { type: 'boolean', default: false } } })
if (positionals.length !== 1) {
  console.error('usage: node faults/check.mjs FOLDER [--json]')
  process.exit(2)
}

const onTorn = (file, text) => console.error(`${file}: its last line has no end, it is left out: ${text.slice(0, 80)}`)
const report = checkHistory(readHistory(historyFiles(positionals[0]), { onTorn }))
if (values.json) console.log(JSON.stringify(report, null, 2))
else tell(report)
process.exitCode = report.violations.length === 0 ? 0 : 1

function tell({ acknowledged, lost, duplicated, violations, counts, checked, faults }) {
  console.log(`${acknowledged} acknowledged, ${lost ?? 'unknown'} lost, ${duplicated} duplicated; faults: ${listed(faults)}`)
  console.log(`checked ${checked.join(' ')}; violations: ${listed(counts)}`)
  for (const { invariant, what, events } of violations) {
    console.log(`${invariant}: ${what}`)
    for (const event of events) console.log(`    ${JSON.stringify(event)}`)
  }
}

function listed(counts) {
  return Object.entries(counts).map(([name, count]) => `${count} ${name}`).join(', ') || 'none'
}
