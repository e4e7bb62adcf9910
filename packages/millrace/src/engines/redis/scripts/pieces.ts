/**
 * What several scripts begin with. The first key of each is the log of a partition; all other keys of the partition are in its slot and have names that
 * begin as its own does.
 */
export const ground = `
local log = KEYS[1]
local base = string.sub(log, 1, -4)
local part = base .. 'part'

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- While its slot moves to another node a key may be there already, and a script that comes to it fails: so each script comes to all keys that it may
-- write before it writes any.
local function reach(...)
  redis.call('EXISTS', log, part, base .. 'marks', ...)
end

-- Whether the partition is of this topic. One that nobody has used is made.
local function isOf(topic)
  local id = redis.call('HGET', part, 'id')
  if not id then redis.call('HSET', part, 'id', topic) end
  return not id or id == topic
end

-- Tells whoever listens; pub is PUBLISH, or SPUBLISH on a cluster.
local function stir(pub, what)
  redis.call(pub, base .. '!', what)
end
`

/** Rows of held messages: see held-row.ts. */
export const rows = `
-- Grows with each write of a row, and is about the time in all partitions.
local function version()
  local next = math.max((redis.call('HGET', part, 'seq') or 0) + 1, now() * 1024)
  redis.call('HSET', part, 'seq', string.format('%.0f', next))
  return next
end

local function stamped(row, at)
  return string.sub(row, 1, 18) .. struct.pack('<d', at) .. string.sub(row, 27)
end

local function stateOf(row)
  return string.sub(row, 1, 1)
end

local function versionOf(row)
  return struct.unpack('<d', string.sub(row, 19, 26))
end

-- Value, key and meta of the message in a row.
local function entryOf(row)
  local hold, meta, key = struct.unpack('<I4I4I4', string.sub(row, 7, 18))
  local at = 27 + hold
  return string.sub(row, at + meta + key), string.sub(row, at + meta, at + meta + key - 1), string.sub(row, at, at + meta - 1)
end

local function reachGroup(group)
  reach(base .. 'due', base .. 'hg', base .. 'c:' .. group, base .. 'h:' .. group, base .. 'l:' .. group, base .. 'n:' .. group,
    base .. 'or:' .. group, base .. 'od:' .. group, base .. 'ol:' .. group)
end

local function hasCursor(group)
  return redis.call('HEXISTS', base .. 'c:' .. group, 'e') == 1
end

local function count(group, field, by)
  if hasCursor(group) then redis.call('HINCRBY', base .. 'c:' .. group, field, by) end
end

-- For the owner of the group's cursor, if there is one: who claims it later reads all that matters.
local function news(pub, group, what)
  local owner = redis.call('HGET', base .. 'c:' .. group, 'o')
  if not owner or owner == '' then return end
  redis.call('RPUSH', base .. 'n:' .. group, what)
  stir(pub, 'news ' .. group)
end

local isListed = { r = true, d = true, l = true, y = true, p = true }

-- Takes a row of a group away; false when there is none.
local function remove(group, offset)
  local rows = base .. 'h:' .. group
  local before = redis.call('HGET', rows, offset)
  if not before then return false end
  local state = stateOf(before)
  -- First what needs no memory: with none left, a script may go on that has begun to write.
  redis.call('HDEL', rows, offset)
  count(group, 'n' .. state, -1)
  if isListed[state] then redis.call('ZREM', base .. 'o' .. state .. ':' .. group, offset) end
  redis.call('SREM', base .. 'l:' .. group, offset)
  redis.call('ZREM', base .. 'due', 'g' .. offset .. '@' .. group)
  if redis.call('EXISTS', rows) == 0 then redis.call('SREM', base .. 'hg', group) end
  return before
end

-- A row of a group instead of what there was. It ripens at due, unless that is empty.
local function put(group, offset, row, due)
  remove(group, offset)
  local state, at = stateOf(row), version()
  redis.call('SADD', base .. 'hg', group)
  redis.call('HSET', base .. 'h:' .. group, offset, stamped(row, at))
  count(group, 'n' .. state, 1)
  if isListed[state] then redis.call('ZADD', base .. 'o' .. state .. ':' .. group, string.format('%.0f', at), offset) end
  if not isListed[state] or string.byte(row, 2) % 2 == 1 then redis.call('SADD', base .. 'l:' .. group, offset) end
  if due ~= '' then redis.call('ZADD', base .. 'due', due, 'g' .. offset .. '@' .. group) end
end

-- To its group, which finishes it. False when there is no such group: a broadcast group's dead letter stays.
local function release(pub, group, offset, row)
  if not hasCursor(group) then return false end
  local attempt = stateOf(row) == 'd' and 1 or struct.unpack('<I4', string.sub(row, 3, 6)) + 1
  put(group, offset, 'R' .. string.sub(row, 2, 2) .. struct.pack('<I4', attempt) .. string.sub(row, 7), '')
  news(pub, group, 'r' .. offset)
  return true
end

-- When something ripens earlier than all else, whoever ripens wants to know.
local function stirDue(pub, key, due)
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if first[2] and tonumber(first[2]) >= tonumber(due) then stir(pub, 'due ' .. due) end
end
`

/** Rows of messages that nobody has seen: delays and prepared ones. */
export const messageRows = `
local function askedFor(producers)
  return base .. 'a:' .. producers
end

local function reachMessages(...)
  reach(base .. 'h', base .. 'oy', base .. 'op', base .. 'due', base .. 'parks', ...)
end

-- due: when it ripens, or nothing; asks: the producer group to ask, or nothing; parks: when it is parked, or nothing.
local function putMessage(id, row, at, due, asks, parks)
  redis.call('HSET', base .. 'h', id, stamped(row, at))
  if asks ~= '' then
    redis.call('ZADD', askedFor(asks), due, id)
    redis.call('ZADD', base .. 'parks', parks, id)
  elseif due ~= '' then
    redis.call('ZADD', base .. 'due', due, 'm' .. id)
  end
end

-- Out of all that ripens; asks as it was put.
local function untime(id, asks)
  if asks ~= '' then
    redis.call('ZREM', askedFor(asks), id)
    redis.call('ZREM', base .. 'parks', id)
  else
    redis.call('ZREM', base .. 'due', 'm' .. id)
  end
end

local function listMessage(id, state, at)
  redis.call('ZADD', base .. 'o' .. state, string.format('%.0f', at), id)
  redis.call('HINCRBY', part, 'n' .. state, 1)
end

local function removeMessage(id, row, asks)
  local state = stateOf(row)
  redis.call('HDEL', base .. 'h', id)
  redis.call('ZREM', base .. 'o' .. state, id)
  redis.call('HINCRBY', part, 'n' .. state, -1)
  untime(id, asks)
end
`

/** Puts messages of rows into the log; needs what appends. */
export const appendRows = `
-- The key of the dedup id in a row, or nothing.
local function dedupKey(row)
  if math.floor(string.byte(row, 2) / 8) % 2 == 0 then return nil end
  local length = struct.unpack('<I4', string.sub(row, 7, 10))
  return base .. 'd:' .. cjson.decode(string.sub(row, 27, 26 + length)).dedup
end

local function reachDedup(row)
  local key = dedupKey(row)
  if key then reach(key) end
end

-- Who sends the same again is told where the first one is, if its window is not over.
local function placed(row, offset)
  local key = dedupKey(row)
  local known = key and redis.call('GET', key)
  local head = (redis.call('HGET', part, 'id') or '') .. ' '
  if known and string.sub(known, 1, #head + 2) == head .. '- ' then
    redis.call('SET', key, head .. digits(offset) .. string.sub(known, #head + 2), 'KEEPTTL')
  end
end

local function appendRows(rows)
  local entries, bytes = {}, 0
  for at, row in ipairs(rows) do
    local value, key, meta = entryOf(row)
    entries[at] = { value, key, meta }
    bytes = bytes + #value + #key + #meta
  end
  local first = tonumber(append(base, #rows, bytes, function(at) return entries[at][1], entries[at][2], entries[at][3] end))
  for at, row in ipairs(rows) do placed(row, first + at - 1) end
end
`
