import type { Command, Reply } from '../port.js'

const entries = new Set(['XRANGE', 'XREVRANGE', 'XCLAIM'])
const entriesByStream = new Set(['XREAD', 'XREADGROUP'])

/**
 * What a client answered, as RESP2 has it. Clients make maps of some answers: by the protocol (RESP3), or by the command's name (GLIDE, which lists `{ key, value }`).
 * A script's answer is a list as the script gave it.
 */
export function replyOf(answer: unknown, args: Command): Reply {
  if (answer === null || answer === undefined || typeof answer === 'number' || Buffer.isBuffer(answer)) return answer ?? null
  if (typeof answer === 'string') return Buffer.from(answer)
  if (typeof answer === 'boolean') return answer ? 1 : null
  if (typeof answer === 'bigint') return Number(answer)
  const name = args[0].toUpperCase()
  if (name === 'EVALSHA' || name === 'EVAL') return plain(answer)
  if (entries.has(name)) return areEntries(answer) ? answer : pairsOf(answer).map(entryOf)
  if (entriesByStream.has(name)) return pairsOf(answer).map(([stream, list]) => [plain(stream), pairsOf(list).map(entryOf)])
  if (args.some((each) => typeof each === 'string' && each.toUpperCase() === 'WITHSCORES')) return pairsOf(answer).flat().map(plain)
  return plain(answer)
}

/** Most clients need no help here, and bodies are read at speed: one entry tells for all. */
function areEntries(answer: unknown): answer is readonly Reply[] {
  if (!Array.isArray(answer)) return false
  const first: unknown = answer[0]
  return answer.length === 0 || (isPair(first) && Array.isArray(first[1]) && Buffer.isBuffer(first[1][0]))
}

function entryOf([id, fields]: readonly unknown[]): Reply {
  return [plain(id), fields === null ? null : pairsOf(fields).flat().map(plain)]
}

/** `[name, value]` of a map however it is told: a list of pairs, a flat list, `{ key, value }`, a Map, an object. */
function pairsOf(map: unknown): readonly (readonly unknown[])[] {
  if (map instanceof Map) return [...map]
  if (!Array.isArray(map)) return Object.entries(map ?? {})
  if (map.every(isPair)) return map
  if (map.every(isKeyed)) return map.map(({ key, value }) => [key, value])
  return Array.from({ length: map.length / 2 }, (_, index) => [map[index * 2], map[index * 2 + 1]])
}

function plain(answer: unknown): Reply {
  if (answer === null || answer === undefined || typeof answer === 'number' || Buffer.isBuffer(answer)) return answer ?? null
  if (typeof answer === 'string') return Buffer.from(answer)
  if (typeof answer === 'boolean') return answer ? 1 : null
  if (Array.isArray(answer)) return answer.length > 0 && answer.every(isKeyed) ? pairsOf(answer).flat().map(plain) : answer.map(plain)
  if (answer instanceof Set) return [...answer].map(plain)
  if (typeof answer === 'object') return pairsOf(answer).flat().map(plain)
  return Number(answer)
}

function isPair(item: unknown): item is readonly unknown[] {
  return Array.isArray(item) && item.length === 2
}

function isKeyed(item: unknown): item is { readonly key: unknown; readonly value: unknown } {
  return typeof item === 'object' && item !== null && !Buffer.isBuffer(item) && 'key' in item && 'value' in item
}
