import { asMillraceError, type Message, type MillraceError } from '../core/index.js'
import type { Page, Place } from '../engine/index.js'
import { MessageHeaders } from './headers.js'
import { Reader } from './reader.js'
import type { Runtime } from './runtime.js'
import type { TopicContract } from './topic-contract.js'

export interface PeekOptions {
  /** Absent: partition after partition. */
  readonly partition?: number
  /** Default `start`. */
  readonly from?: Place
  /** Default 100. */
  readonly limit?: number
  readonly cursor?: string
}

/** A message read without consuming it. */
export interface Peeked<Value> extends Omit<Message, 'value' | 'headers'> {
  readonly headers: MessageHeaders
  /** Undefined when it could not be read; then `error` says why. */
  readonly value: Value | undefined
  readonly error?: MillraceError
  readonly bytes: Uint8Array | null
}

/** Reads a topic's log without consuming. */
export async function peek<Output>(runtime: Runtime, contract: TopicContract<unknown, Output>, options: PeekOptions = {}): Promise<Page<Peeked<Output>>> {
  const { from = 'start', limit = 100, partition, cursor } = options
  await runtime.open()
  const page = await runtime.engine.browse({
    topic: contract.name,
    from,
    limit,
    ...(partition !== undefined && { partition }),
    ...(cursor !== undefined && { cursor }),
  })
  const reader = new Reader(contract, runtime.middleware)
  const items = await Promise.all(page.items.map((message) => peeked(reader, message)))
  return { ...page, items }
}

async function peeked<Output>(reader: Reader<Output>, message: Message): Promise<Peeked<Output>> {
  const about = { ...message, headers: new MessageHeaders(message.headers), bytes: message.value }
  try {
    const plain = await reader.plain(message)
    return { ...about, headers: new MessageHeaders(plain.headers), bytes: plain.value, value: await reader.value(plain.value) }
  } catch (error) {
    return { ...about, value: undefined, error: asMillraceError(error, 'CODEC', 'the message could not be read') }
  }
}
