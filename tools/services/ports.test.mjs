import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { freePorts } from './ports.mjs'

it('gives ports that differ, that nobody listens on, and that no outgoing connection is given', async () => {
  const ports = await freePorts(6)
  expect(new Set(ports).size).toBe(6)
  for (const port of ports) {
    expect(port).toBeLessThan(32_768)
    const server = createServer()
    await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
    await new Promise((resolve) => server.close(resolve))
  }
})
