import { usage } from './exit-codes.js'

/** Asks before what cannot be undone: the answer is the name itself. Without a terminal `--yes` must have been given. */
export async function confirm(what: string, name: string, yes: boolean | undefined): Promise<void> {
  if (yes === true) return
  if (!process.stdin.isTTY) throw usage(`${what} cannot be undone: add --yes to do it without a question`)
  const { createInterface } = await import('node:readline/promises')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(`${what} cannot be undone. Type ${name} to go on: `)
    if (answer.trim() !== name) throw usage('nothing was changed')
  } finally {
    terminal.close()
  }
}
