/**
 * Lua: `append(base, count, bytes, each)` puts `count` entries (at most 4,096) behind all others of a log; `each(i)` gives value, key and meta
 * of the i-th, `bytes` is what these have together. Their ids follow one another in one millisecond. Answers the offset of the first, as digits.
 *
 * The partition's hash keeps the last id that we gave, how many entries are counted and their bytes; what others have added meanwhile is
 * counted first. Now and then a mark says how many entries and bytes came before a place.
 */
export const append = `
local function digits(number) return string.format('%.0f', number) end

local function idOf(offset)
  local seq = offset % 4096
  return digits((offset - seq) / 4096) .. '-' .. digits(seq)
end

local function lastOf(log)
  local info = redis.call('XINFO', 'STREAM', log)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then
      local ms, seq = string.match(info[i + 1], '(%d+)-(%d+)')
      return tonumber(ms), tonumber(seq)
    end
  end
end

local function weigh(entry)
  local sum = 0
  for i = 2, #entry[2], 2 do sum = sum + #entry[2][i] end
  return sum
end

-- What others have added since we last looked: the first of them are weighed, the rest by their mean.
local function weighOthers(log, last, count)
  local entries = redis.call('XRANGE', log, last > 0 and '(' .. idOf(last) or '-', '+', 'COUNT', 256)
  local sum = 0
  for _, entry in ipairs(entries) do sum = sum + weigh(entry) end
  return #entries > 0 and math.floor(sum * count / #entries) or 0
end

local function append(base, count, bytes, each)
  local log = base .. 'log'
  local was = redis.call('HMGET', base .. 'part', 'last', 'published', 'bytes', 'trimmed', 'marked')
  local last, published, sum = tonumber(was[1] or 0), tonumber(was[2] or 0), tonumber(was[3] or 0)
  local trimmed, marked = tonumber(was[4] or 0), tonumber(was[5] or 0)
  local lastMs, lastSeq = math.floor(last / 4096), last % 4096
  local others = redis.call('XLEN', log) + trimmed - published
  if others ~= 0 then
    if others > 0 then sum = sum + weighOthers(log, last, others) else trimmed = trimmed - others end
    if others > 0 then published = published + others end
    if redis.call('EXISTS', log) == 1 then lastMs, lastSeq = lastOf(log) end
  end
  local now = redis.call('TIME')
  local ms, seq = now[1] * 1000 + math.floor(now[2] / 1000), 0
  if ms <= lastMs then
    ms, seq = lastMs, lastSeq + 1
    if seq + count > 4096 then ms, seq = ms + 1, 0 end
  end
  local prefix = digits(ms) .. '-'
  local value, key, meta = each(1)
  local added = redis.pcall('XADD', log, prefix .. seq, 'value', value, 'key', key, 'meta', meta)
  if type(added) == 'table' and added.err then
    if string.find(added.err, 'equal or smaller', 1, true) then
      -- Others added entries and removed them again.
      ms, seq = lastOf(log) + 1, 0
      prefix = digits(ms) .. '-'
    end
    redis.call('XADD', log, prefix .. seq, 'value', value, 'key', key, 'meta', meta)
  end
  for i = 2, count do
    value, key, meta = each(i)
    redis.call('XADD', log, prefix .. (seq + i - 1), 'value', value, 'key', key, 'meta', meta)
  end
  local first = digits(ms * 4096 + seq)
  if published + count - marked >= 256 then
    redis.call('ZADD', base .. 'marks', first, first .. ':' .. digits(published) .. ':' .. digits(sum))
    marked = published
  end
  redis.call('HSET', base .. 'part', 'last', digits(ms * 4096 + seq + count - 1), 'published', digits(published + count), 'bytes', digits(sum + bytes), 'trimmed', digits(trimmed), 'marked', digits(marked))
  return first
end
`
