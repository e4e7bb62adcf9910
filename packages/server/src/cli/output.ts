/** Tables for people, one JSON document for programs. */
export interface Output {
  readonly json: boolean
}

export type Cell = string | number | boolean | null

/** Prints rows as a table, or `data` as JSON. */
export async function printTable(output: Output, data: unknown, head: readonly string[], rows: readonly (readonly Cell[])[]): Promise<void> {
  if (output.json) return printJson(data)
  print(await tableText(head, rows))
}

export async function tableText(head: readonly string[], rows: readonly (readonly Cell[])[]): Promise<string> {
  if (rows.length === 0) return '(none)'
  const [{ default: Table }, { default: colors }] = await Promise.all([import('cli-table3'), import('picocolors')])
  const table = new Table({ head: head.map((each) => colors.bold(each)), style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 2 }, chars: noLines })
  for (const row of rows) table.push(row.map(cell))
  return table.toString().replaceAll(/ +$/gm, '')
}

/** Prints fields one below the other, or `data` as JSON. */
export function printFields(output: Output, data: unknown, fields: Readonly<Record<string, Cell>>): void {
  if (output.json) return printJson(data)
  const width = Math.max(...Object.keys(fields).map((name) => name.length))
  for (const [name, value] of Object.entries(fields)) print(`${name.padEnd(width)}  ${cell(value)}`)
}

/** Prints a sentence, or `data` as JSON. */
export function printDone(output: Output, data: unknown, sentence: string): void {
  if (output.json) printJson(data)
  else print(sentence)
}

export function printJson(data: unknown): void {
  print(JSON.stringify(data, null, 2))
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Resolves when it is written, and fails where nobody reads any more. */
export function printed(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(`${text}\n`, (error) => (error ? reject(error) : resolve()))
  })
}

/** For people, beside what is printed for programs. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** A value in one line; control characters are written out, so that a message cannot steer the terminal. */
export function oneLine(value: unknown, most = 200): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  const plain = text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, (char) => JSON.stringify(char).slice(1, -1).replace(/^[\u007f-\u009f]$/, '?'))
  return plain.length > most ? `${plain.slice(0, most - 1)}…` : plain
}

function cell(value: Cell): string {
  return value === null ? '-' : oneLine(String(value))
}

const noLines = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'].map((name) => [name, '']),
)
