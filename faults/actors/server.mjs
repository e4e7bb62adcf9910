import { createServer, loadConfig, serve } from '@millrace/server'
import { Millrace } from 'millrace'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { portFile } from './http.mjs'

/** What `millrace serve` runs, on the run's store; started again it listens on the same port. */
export async function play(part) {
  const file = portFile(part.folder)
  const port = existsSync(file) ? readFileSync(file, 'utf8') : '0'
  const server = await (part.adapter.path ? served(part, port) : aroundEngine(part, port))
  writeFileSync(file, new URL(server.url).port)
  return { end: () => server.close() }
}

async function served({ adapter, folder, settings }, port) {
  const { config } = await loadConfig({ env: {}, flags: { 'engine.provider': adapter.name, 'engine.path': adapter.path(folder), 'listen.port': port, ...settings.server } })
  return serve(config)
}

/** The same server, around an engine that its config cannot name. */
async function aroundEngine(part, port) {
  const { config } = await loadConfig({ env: {}, flags: { 'listen.port': port, ...part.settings.server } })
  const mill = new Millrace({ engine: await part.adapter.open(part) })
  await mill.open()
  const app = await createServer({ mill, config })
  const url = await app.listen({ host: config.listen.host, port: config.listen.port })
  return { url, close: () => app.close().then(() => mill.close()) }
}
