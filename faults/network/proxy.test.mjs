import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { Proxy } from './proxy.mjs'

/** A server that says back what it hears, with a proxy before it. */
async function echoBehindProxy(options) {
  const sockets = new Set()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.pipe(socket)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy = new Proxy(options)
  await proxy.listen()
  proxy.to(server.address().port)
  onTestFinished(async () => {
    await proxy.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return proxy
}

async function clientOf(proxy) {
  const socket = connect(proxy.port, '127.0.0.1')
  const heard = []
  socket.on('data', (bytes) => heard.push(bytes.toString()))
  const ended = new Promise((resolve) => socket.once('close', resolve))
  const broken = new Promise((resolve) => socket.once('error', (error) => resolve(error.code)))
  await Promise.race([once(socket, 'connect'), broken])
  onTestFinished(() => void socket.destroy())
  const ask = async (text) => {
    socket.write(text)
    await once(socket, 'data')
  }
  return { socket, heard, ended, broken, ask }
}

it('hands over what both sides say, and their ends', async () => {
  const client = await clientOf(await echoBehindProxy())
  await client.ask('a')
  client.socket.end('b')
  await client.ended
  expect(client.heard.join('')).toBe('ab')
})

it('a reset ends the connections there are, and new ones are let through', async () => {
  const proxy = await echoBehindProxy()
  const client = await clientOf(proxy)
  await client.ask('a')
  expect(proxy.reset()).toBe(1)
  expect(await client.broken).toBe('ECONNRESET')
  const next = await clientOf(proxy)
  await next.ask('b')
  expect(next.heard).toEqual(['b'])
})

it('a cut ends new connections too, until it is mended', async () => {
  const proxy = await echoBehindProxy()
  proxy.cut()
  const refused = await clientOf(proxy)
  expect(await refused.broken).toBe('ECONNRESET')
  proxy.mend()
  const next = await clientOf(proxy)
  await next.ask('b')
  expect(next.heard).toEqual(['b'])
})

it('a connection that fell silent stays so when new ones are as they should be, and it is known that somebody waits on it', async () => {
  const proxy = await echoBehindProxy()
  const client = await clientOf(proxy)
  await client.ask('a')
  proxy.set({ isMute: true })
  const [link] = proxy.links
  expect(link.isWaitedFor).toBe(false)
  proxy.mend({ isForAll: false })
  client.socket.write('b')
  const next = await clientOf(proxy)
  await next.ask('c')
  await next.ask('d')
  expect(client.heard).toEqual(['a'])
  expect(link.isWaitedFor).toBe(true)
  client.socket.destroy()
  await link.ended
  expect(link.isWaitedFor).toBe(false)
})

it('what is slow comes whole and in order', async () => {
  const proxy = await echoBehindProxy()
  proxy.set({ delayMs: 5, bytesPerSecond: 100_000 })
  const client = await clientOf(proxy)
  for (const text of ['a', 'b', 'c']) client.socket.write(text)
  client.socket.end()
  await client.ended
  expect(client.heard.join('')).toBe('abc')
})

it('the answer to a write is lost with its connection, answers to other questions are not', async () => {
  const writes = () => ({ asked: () => undefined, answered: (bytes) => bytes.includes('write') })
  const proxy = await echoBehindProxy({ writes })
  const client = await clientOf(proxy)
  const { lost } = proxy.loseAnswer()
  await client.ask('read')
  client.socket.write('write')
  expect(await lost).toBe(true)
  await client.ended
  expect(client.heard).toEqual(['read'])
})
