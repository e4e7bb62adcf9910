/** For people: a line a row, and after it what is wrong. */
export function printTable(results) {
  const head = ['row', 'attempts', 'acknowledged', 'lost', 'duplicated', 'violations', 'faults that happened', 'rest ms']
  const lines = results.map((result) => (result.skipped ? [result.id, `not run: ${result.skipped}`] : cellsOf(result)))
  const widths = head.map((title, column) => Math.max(title.length, ...lines.filter((line) => line.length === head.length).map((line) => line[column].length)))
  const printed = (line) => line.map((cell, column) => (isNumeric(cell) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join('  ').trimEnd()
  for (const line of [head, ...lines]) console.log(printed(line))
  for (const { id, notes = [] } of results) for (const note of notes) console.log(`${id} ${note}`)
  for (const result of results) printTrouble(result)
}

function cellsOf({ id, attempts, acknowledged, lost, duplicated, violations, happened = {}, drainMs }) {
  const faults = Object.entries(happened).map(([name, count]) => `${count} ${name}`).join(', ')
  return [id, ...[attempts, acknowledged, lost ?? '?', duplicated, violations].map(String), faults || 'none', drainMs === undefined ? '' : String(drainMs ?? 'never')]
}

function printTrouble({ id, found = [], troubles = [], seed, folder }) {
  if (folder === undefined) return
  console.log(`\n${id} failed with --seed ${seed}; its history is kept in ${folder}`)
  for (const trouble of troubles) console.log(`  ${trouble}`)
  for (const { invariant, what, events } of found.slice(0, 10)) {
    console.log(`  ${invariant}: ${what}`)
    for (const event of events) console.log(`      ${JSON.stringify(event)}`)
  }
  if (found.length > 0) console.log(`  all of it: node faults/check.mjs ${folder}/history`)
}

function isNumeric(cell) {
  return /^[\d?]+$/.test(cell)
}
