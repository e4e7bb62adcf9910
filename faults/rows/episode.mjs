import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { staged } from '../run.mjs'

/** Plays a row on a server of its own, in a folder of its own: for rows of which several runs are compared. `asked` is what the server is to be. Answers what `staged` does. */
export async function episode({ row, adapter, serve, run, seconds, progress }, name, asked) {
  const folder = join(run.folder, name)
  for (const part of ['history', 'logs']) mkdirSync(join(folder, part), { recursive: true })
  const server = await serve({ folder, ...asked })
  try {
    return await staged({ row, adapter, server, run: { ...run, folder, settings: server.settings }, seconds, progress: (text) => progress(`${name}: ${text}`) })
  } finally {
    await server.stop()
  }
}
