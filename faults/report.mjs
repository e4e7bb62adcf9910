const columns = [
  ['row', ({ id }) => id],
  ['attempts', ({ attempts }) => attempts],
  ['acknowledged', ({ acknowledged }) => acknowledged],
  ['lost', ({ lost }) => lost ?? '?'],
  ['duplicated', ({ duplicated }) => duplicated],
  ['violations', ({ violations }) => violations],
  ['faults that happened', ({ happened = {} }) => Object.entries(happened).map(([name, count]) => `${count} ${name}`).join(', ') || 'none'],
  ['rest ms', ({ drainMs }) => (drainMs === undefined ? '' : drainMs ?? 'never')],
]

/** Where others run beside us: who it was, what it broke, and how long its consumers waited. */
const rivalColumns = [
  ['rival', ({ rival }) => rival],
  ...columns,
  ['back ms', ({ backMs }) => backMs ?? ''],
  ['longest wait ms', ({ waitedMs }) => waitedMs],
  ['broken', ({ counts = {} }) => Object.entries(counts).map(([invariant, count]) => `${invariant} ${count}`).join(', ')],
]

/** For people: a line a row, and after it what is wrong. */
export function printTable(results) {
  const shown = results.some(({ rival }) => rival) ? rivalColumns : columns
  const head = shown.map(([title]) => title)
  const lines = results.map((result) => (result.skipped ? [...(result.rival ? [result.rival] : []), result.id, `not run: ${result.skipped}`] : shown.map(([, cell]) => String(cell(result)))))
  const widths = head.map((title, column) => Math.max(title.length, ...lines.filter((line) => line.length === head.length).map((line) => line[column].length)))
  const printed = (line) => line.map((cell, column) => (isNumeric(cell) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join('  ').trimEnd()
  for (const line of [head, ...lines]) console.log(printed(line))
  for (const { rival, id, notes = [] } of results) for (const note of notes) console.log(`${rival ? `${rival} ` : ''}${id} ${note}`)
  for (const result of results) printTrouble(result)
}

function printTrouble({ rival, id, found = [], troubles = [], seed, folder }) {
  if (folder === undefined) return
  console.log(`\n${rival ? `${rival} ` : ''}${id} failed with --seed ${seed}; its history is kept in ${folder}`)
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
