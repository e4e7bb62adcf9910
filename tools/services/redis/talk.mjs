import { once } from 'node:events'
import { connect } from 'node:net'

/** One command to a server on this host, on a connection of its own: for what is done a few times. Answers text, numbers, null, lists; a server's error is thrown. */
export async function talk({ port, password, timeoutMs = 5_000 }, ...args) {
  const socket = connect(port, '127.0.0.1')
  const late = setTimeout(() => socket.destroy(new Error(`${args[0]}: 127.0.0.1:${port} did not answer within ${timeoutMs} ms`)), timeoutMs)
  try {
    await once(socket, 'connect')
    const commands = password === undefined ? [args] : [['AUTH', password], args]
    socket.write(commands.map(encode).join(''))
    const answers = await read(socket, commands.length)
    const error = answers.find((each) => each instanceof Error)
    if (error !== undefined) throw error
    return answers.at(-1)
  } finally {
    clearTimeout(late)
    socket.destroy()
  }
}

function encode(args) {
  return `*${args.length}\r\n${args.map((each) => `$${Buffer.byteLength(String(each))}\r\n${each}\r\n`).join('')}`
}

async function read(socket, count) {
  let text = ''
  for await (const part of socket.setEncoding('latin1')) {
    text += part
    const answers = decodeAll(text, count)
    if (answers !== undefined) return answers
  }
  throw new Error('the connection was closed')
}

/** Undefined while some of it has not arrived. */
function decodeAll(text, count) {
  const at = { index: 0 }
  const answers = []
  while (answers.length < count) {
    const answer = decode(text, at)
    if (answer === undefined) return undefined
    answers.push(answer)
  }
  return answers
}

function decode(text, at) {
  const end = text.indexOf('\r\n', at.index)
  if (end < 0) return undefined
  const kind = text[at.index]
  const line = text.slice(at.index + 1, end)
  at.index = end + 2
  if (kind === '+') return line
  if (kind === '-') return new Error(line)
  if (kind === ':') return Number(line)
  if (Number(line) < 0) return null
  return kind === '$' ? decodeText(text, at, Number(line)) : decodeList(text, at, Number(line))
}

function decodeText(text, at, size) {
  if (text.length < at.index + size + 2) return undefined
  at.index += size + 2
  return Buffer.from(text.slice(at.index - size - 2, at.index - 2), 'latin1').toString()
}

function decodeList(text, at, size) {
  const list = []
  while (list.length < size) {
    const item = decode(text, at)
    if (item === undefined) return undefined
    list.push(item)
  }
  return list
}
