/**
 * Lua: `before(base, offset)` answers how many entries, and how many bytes of them, ever came before a place of the log: from the last mark
 * before it, which `markBefore` gives, and what lies between. Behind `append`.
 */
export const measure = `
local function markBefore(base, offset)
  local part = redis.call('HMGET', base .. 'part', 'trimmed', 'trimmedBytes')
  local count, bytes, from = tonumber(part[1] or 0), tonumber(part[2] or 0), '-'
  local mark = redis.call('ZREVRANGEBYSCORE', base .. 'marks', digits(offset), '-inf', 'LIMIT', 0, 1)[1]
  if mark then
    local at, entries, sum = string.match(mark, '(%d+):(%d+):(%d+)')
    if tonumber(entries) >= count then count, bytes, from = tonumber(entries), tonumber(sum), idOf(tonumber(at)) end
  end
  return count, bytes, from
end

local function before(base, offset)
  local log = base .. 'log'
  local count, bytes, from = markBefore(base, offset)
  if offset <= 0 then return count, bytes end
  repeat
    local entries = redis.call('XRANGE', log, from, '(' .. idOf(offset), 'COUNT', 512)
    for _, entry in ipairs(entries) do bytes = bytes + weigh(entry) end
    count = count + #entries
    if #entries > 0 then from = '(' .. entries[#entries][1] end
  until #entries < 512
  return count, bytes
end
`
