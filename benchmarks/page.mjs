import { readFileSync, writeFileSync } from 'node:fs'

/**
 * Puts the figures of a question into a page, between `<!-- bench NAME -->` and `<!-- /bench NAME -->`.
 * @param {string} page
 * @param {string} name
 * @param {readonly import('./rounds.mjs').Case[]} cases
 * @param {readonly string[]} notes
 */
export function putInto(page, name, cases, notes) {
  const [start, end] = [`<!-- bench ${name} -->`, `<!-- /bench ${name} -->`]
  const text = readFileSync(page, 'utf8')
  const [before, rest] = text.split(start)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined) throw new Error(`${page} has no place for ${name}: write ${start} and ${end} where the figures belong`)
  writeFileSync(page, `${before}${start}\n${markdown(cases, notes)}\n${end}${after}`)
}

/** @param {readonly import('./rounds.mjs').Case[]} cases @param {readonly string[]} notes */
function markdown(cases, notes) {
  const rows = cases.map(({ name, value, unit, against, ratio, spread, asked = '', missedBy, says = '' }) => [
    `\`${name}\``,
    value.toLocaleString('en'),
    unit,
    against === undefined ? '' : `${ratio} × \`${against}\``,
    missedBy === undefined ? asked : `${asked}, **missed by ${missedBy}**`,
    spread === undefined ? '' : `±${(spread * 50).toFixed(0)} %`,
    says,
  ].join(' | '))
  const table = ['| case | median | unit | ratio | asked | noise | how |', '| --- | ---: | --- | --- | --- | ---: | --- |', ...rows.map((row) => `| ${row} |`)]
  return [...table, '', ...notes.map((note) => `- ${note}`)].join('\n')
}
