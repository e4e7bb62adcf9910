import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below what systems hand out to outgoing connections: while a server is down, a client that knocks again and again could else be given its very port. */
const range = { from: 15_000, to: 32_000 }

/** So many different ports of this host that nobody listens on. */
export async function freePorts(count) {
  const servers = []
  try {
    while (servers.length < count) {
      const server = await listenOn(randomInt(range.from, range.to))
      if (server !== undefined) servers.push(server)
    }
    return servers.map((server) => server.address().port)
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }
}

async function listenOn(port) {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return server
  } catch (error) {
    if (error.code === 'EADDRINUSE' || error.code === 'EACCES') return undefined
    throw error
  }
}
