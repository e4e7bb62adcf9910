import { MillraceError } from 'millrace'
import { inexactNumber } from './exact-json.js'

const quote = 34
const backslash = 92
const openBracket = 91
const closeBracket = 93
const openBrace = 123
const closeBrace = 125

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
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === quote) at = closingQuote(text, at)
    else if (code === openBracket || code === openBrace) {
      depth += 1
      if (depth > maxDepth) return true
    } else if (code === closeBracket || code === closeBrace) depth -= 1
  }
  return false
}

/** Where the text ends that begins at `from`; the end of all where it does not. */
function closingQuote(text: string, from: number): number {
  let at = text.indexOf('"', from + 1)
  while (at !== -1 && isEscaped(text, at)) at = text.indexOf('"', at + 1)
  return at === -1 ? text.length : at
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(at - 1 - backslashes) === backslash) backslashes += 1
  return backslashes % 2 === 1
}
