import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { basename, join } from 'node:path'
import { flawOf } from './vocabulary.mjs'

const chunkBytes = 1 << 18
const newline = 10
const extension = '.jsonl'

/** The files of a history, one a process. */
export function historyFiles(folder) {
  return readdirSync(folder).filter((name) => name.endsWith(extension)).sort().map((name) => join(folder, name))
}

/** Where a process of this name writes. */
export function historyFile(folder, process) {
  return join(folder, `${process}${extension}`)
}

/**
 * The events of many processes in the order of time; one process's keep their order. A last line without its end is what a
 * killed process leaves: it is left out, and `onTorn(file, text)` hears of it. Throws for anything else that is not as
 * the vocabulary says, naming file and line. Reads as it goes: holds one event of each file.
 */
export function* readHistory(files, { onTorn = () => undefined } = {}) {
  const readers = files.map((file) => eventsOf(file, onTorn))
  const heads = []
  for (const reader of readers) push(heads, reader)
  while (heads.length > 0) {
    const head = heads[0]
    yield head.event
    const { done, value } = head.reader.next()
    if (done) {
      const last = heads.pop()
      if (heads.length === 0) return
      if (last !== head) heads[0] = last
    } else {
      head.event = value
    }
    sink(heads)
  }
}

/** The events of one file, each as the vocabulary says, their times never going back. */
function* eventsOf(file, onTorn) {
  let number = 0
  let before = -Infinity
  for (const { text, isWhole } of linesOf(file)) {
    number += 1
    const event = parsed(text)
    if (event === undefined && !isWhole) {
      onTorn(file, text)
      return
    }
    const flaw = event === undefined ? 'not JSON' : flawOf(event)
    if (flaw !== undefined) throw new Error(`${basename(file)}:${number}: ${flaw}: ${text.slice(0, 200)}`)
    if (event.at < before) throw new Error(`${basename(file)}:${number}: its time is before the line above: ${text.slice(0, 200)}`)
    before = event.at
    yield event
  }
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function* linesOf(file) {
  const descriptor = openSync(file, 'r')
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes)
    let rest = []
    for (let length = readSync(descriptor, chunk); length > 0; length = readSync(descriptor, chunk)) {
      let start = 0
      for (let end = chunk.indexOf(newline); end !== -1 && end < length; end = chunk.indexOf(newline, start)) {
        const part = chunk.toString('utf8', start, end)
        yield { text: rest.length === 0 ? part : Buffer.concat([...rest, chunk.subarray(start, end)]).toString(), isWhole: true }
        rest = []
        start = end + 1
      }
      if (start < length) rest.push(Buffer.from(chunk.subarray(start, length)))
    }
    if (rest.length > 0) yield { text: Buffer.concat(rest).toString(), isWhole: false }
  } finally {
    closeSync(descriptor)
  }
}

// The readers are a heap by the time of their next event: a run may leave hundreds of files.
function push(heads, reader) {
  const { done, value } = reader.next()
  if (done) return
  heads.push({ event: value, reader })
  for (let index = heads.length - 1; index > 0; ) {
    const above = (index - 1) >> 1
    if (heads[above].event.at <= heads[index].event.at) return
    swap(heads, above, index)
    index = above
  }
}

function sink(heads) {
  for (let index = 0; ; ) {
    const left = 2 * index + 1
    if (left >= heads.length) return
    const least = left + 1 < heads.length && heads[left + 1].event.at < heads[left].event.at ? left + 1 : left
    if (heads[index].event.at <= heads[least].event.at) return
    swap(heads, index, least)
    index = least
  }
}

function swap(heads, one, other) {
  const each = heads[one]
  heads[one] = heads[other]
  heads[other] = each
}
