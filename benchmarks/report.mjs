import Table from 'cli-table3'

const barWidth = 16

/**
 * A table with a bar for each case, as long as the figure is large beside the largest of its unit.
 * @param {string} name
 * @param {readonly import('./rounds.mjs').Case[]} cases
 * @param {readonly string[]} notes
 */
export function printTable(name, cases, notes) {
  const table = new Table({ head: [name, 'median', 'unit', 'ratio', 'asked', '', 'how'], style: { head: [], border: [], compact: true }, colAligns: ['left', 'right'], colWidths: [null, null, null, null, null, barWidth + 2, 60], wordWrap: true })
  for (const { name: label, value, unit, against, ratio, asked = '', missedBy, says = '' } of cases) {
    const most = Math.max(...cases.filter((each) => each.unit === unit).map((each) => each.value))
    const bar = '█'.repeat(Math.max(1, Math.round((value / most) * barWidth) || 0))
    table.push([label, value.toLocaleString('en'), unit, against === undefined ? '' : `${ratio} × ${against}`, missedBy === undefined ? asked : `${asked}\nmissed by ${missedBy}`, bar, says])
  }
  console.log(table.toString())
  for (const note of notes) console.log(note)
}
