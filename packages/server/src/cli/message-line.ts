import { oneLine } from './output.js'
import type { ShownMessage } from './shown.js'

/** A message in one line, for people: where it lies, its key and its value. */
export function messageLine(message: ShownMessage, { values = false }: { readonly values?: boolean }): string {
  const value = oneLine(message.value, Number.POSITIVE_INFINITY)
  return values ? value : `${message.partition}:${message.offset}  ${oneLine(message.key ?? '-')}  ${value}`
}
