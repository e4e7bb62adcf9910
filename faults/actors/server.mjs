import { loadConfig, serve } from '@millrace/server'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { portFile } from './http.mjs'

/** What `millrace serve` runs, on the run's store; started again it listens on the same port. */
export async function play({ adapter, folder, settings }) {
  const file = portFile(folder)
  const port = existsSync(file) ? readFileSync(file, 'utf8') : '0'
  const { config } = await loadConfig({ env: {}, flags: { 'engine.provider': adapter.name, 'engine.path': adapter.path(folder), 'listen.port': port, ...settings.server } })
  const server = await serve(config)
  writeFileSync(file, new URL(server.url).port)
  return { end: () => server.close() }
}
