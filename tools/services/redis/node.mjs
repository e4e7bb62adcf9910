import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ServiceProcess } from '../process.mjs'
import { talk } from './talk.mjs'

/** One Redis or Sentinel, which can be ended in every way and started again (process.mjs). Its port and its data stay. */
export class RedisNode extends ServiceProcess {
  #password

  /** `settings` is written once: what a Sentinel or CONFIG REWRITE has made of it is there after a start anew. */
  constructor({ id, home, port, program, settings, sentinel = false, password, env }) {
    const folder = join(home, `node-${id}`)
    const file = join(folder, 'redis.conf')
    mkdirSync(folder, { recursive: true })
    if (!existsSync(file)) writeFileSync(file, linesOf({ dir: folder, ...settings }))
    super({
      id,
      name: `${sentinel ? 'Sentinel' : 'Redis'} ${id}`,
      command: program,
      args: sentinel ? [file, '--sentinel'] : [file],
      options: { env: { ...process.env, ...env } },
      output: join(folder, 'redis.out'),
      ready: sentinel ? '+monitor master' : 'Ready to accept connections',
    })
    this.port = port
    this.address = `127.0.0.1:${port}`
    this.#password = password
  }

  /** One command: `await node.call('CONFIG', 'SET', 'maxmemory', '1mb')`. */
  call(...args) {
    return talk({ port: this.port, password: this.#password }, ...args)
  }

  /** Kills it and starts it again. */
  async restart() {
    await this.kill()
    await this.start()
  }
}

/** A list is one line for each of its items. */
function linesOf(settings) {
  const line = (name, value) => `${name} ${value === '' ? '""' : value}\n`
  return Object.entries(settings).flatMap(([name, value]) => [value].flat().map((each) => line(name, each))).join('')
}
