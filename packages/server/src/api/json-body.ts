import { MillraceError } from 'millrace'
import { inexactNumber } from './exact-json.js'

const quote = 34
const backslash = 92
const opening = new Set([91, 123])
const closing = new Set([93, 125])

/** Parses a request body. Throws INVALID when it is not JSON, nests deeper than `maxDepth`, or has a number that would be rounded. */
export function parseJson(text: string, maxDepth: number): unknown {
  if (isDeeper(text, maxDepth)) throw new MillraceError('INVALID', `body nests deeper than ${maxDepth} levels (limits.jsonDepth)`, { field: 'body' })
  const inexact = inexactNumber(text)
  if (inexact !== undefined) throw new MillraceError('INVALID', `body has the number ${inexact}, which is above 2^53 and would be rounded: write it as a text`, { field: 'body' })
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new MillraceError('INVALID', `body is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { field: 'body', cause })
  }
}

/** Looks before parsing, so that no code ever walks a value that is deeper. */
function isDeeper(text: string, maxDepth: number): boolean {
  if (text.length <= maxDepth) return false
  let depth = 0
  let inText = false
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (inText) {
      if (code === backslash) at += 1
      else if (code === quote) inText = false
    } else if (code === quote) inText = true
    else if (opening.has(code)) {
      depth += 1
      if (depth > maxDepth) return true
    } else if (closing.has(code)) depth -= 1
  }
  return false
}
