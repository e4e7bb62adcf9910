import type { Script } from '../port.js'
import { append } from './append.js'
import { ground } from './pieces.js'

/** Of a group's cursor, in the order in which `census` gives them. */
export const countFields = ['e', 'o', 'next', 'low', 'read', 'leased', 'waiting', 'copies', 'settled', 'purged', 'ds', 'dp', 'nr', 'nd', 'nl', 'nR', 'nw', 'used'] as const

/**
 * What there is in a partition. KEYS: log. ARGV: groups. Answers entries, trimmed, bytes, first offset, the offset after the last, delayed, prepared, then of each group
 * its fields and of the first entry that it has not finished the id and meta.
 */
export const census: Script = {
  name: 'census',
  lua: `${append}${ground}
local was = redis.call('HMGET', part, 'trimmed', 'bytes', 'trimmedBytes', 'last', 'ny', 'np')
local entries = redis.call('XLEN', log)
local last = tonumber(was[4] or 0)
local first = nil
if redis.call('EXISTS', log) == 1 then
  local ms, seq = lastOf(log)
  last = math.max(last, ms * 4096 + math.min(seq, 4095))
  local entry = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
  if entry then
    ms, seq = string.match(entry[1], '(%d+)-(%d+)')
    first = ms * 4096 + math.min(seq, 4095)
  end
end
local after = last == 0 and 0 or last + 1
local answer = { entries, was[1] or '0', digits(math.max(0, tonumber(was[2] or 0) - tonumber(was[3] or 0))), digits(first or after), digits(after), was[5] or '0', was[6] or '0' }
for _, group in ipairs(ARGV) do
  local fields = redis.call('HMGET', base .. 'c:' .. group, ${countFields.map((field) => `'${field}'`).join(', ')})
  local oldest = {}
  if fields[4] then
    local entry = redis.call('XRANGE', log, idOf(tonumber(fields[4])), '+', 'COUNT', 1)[1]
    if entry then oldest = { entry[1], entry[2][5] == 'meta' and entry[2][6] or '' } end
  end
  answer[#answer + 1] = { fields, oldest }
end
return answer
`,
}

/**
 * The groups of a topic, and how many members of each live. KEYS: groups. ARGV: what the names of beats begin with. Answers the server's time, then of each its name,
 * row, how many live and when the last that was heard of counts as dead.
 */
export const groupsOf: Script = {
  name: 'groupsOf',
  lua: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local rows = redis.call('HGETALL', KEYS[1])
local answer = { string.format('%.0f', now) }
for i = 1, #rows, 2 do
  if string.sub(rows[i], 1, 1) ~= '#' then
    answer[#answer + 1] = rows[i]
    answer[#answer + 1] = rows[i + 1]
    answer[#answer + 1] = redis.call('ZCOUNT', ARGV[1] .. rows[i], '(' .. string.format('%.0f', now), '+inf')
    answer[#answer + 1] = redis.call('ZREVRANGE', ARGV[1] .. rows[i], 0, 0, 'WITHSCORES')[2] or '0'
  end
end
return answer
`,
}
