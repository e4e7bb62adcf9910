import type { Delivery } from '../engine/engine.js'
import type { Message } from '../core/message.js'

export function bytes(of: string): Uint8Array {
  return new TextEncoder().encode(of)
}

export function text(value: Uint8Array | null): string {
  return value === null ? 'null' : new TextDecoder().decode(value)
}

/** The values of deliveries, in order. */
export function texts(deliveries: readonly Delivery[]): string[] {
  return deliveries.map(({ message }) => text(message.value))
}

export function textsOf(messages: readonly Pick<Message, 'value'>[]): string[] {
  return messages.map(({ value }) => text(value))
}
