import { Host } from './host.mjs'
import { services } from './services.mjs'

let host

/** Around a whole run of vitest: who needs a server asks at SERVICES_AT. */
export async function setup() {
  host = new Host(services)
  process.env.SERVICES_AT = await host.open()
}

export async function teardown() {
  await host.close()
}
