import type { Script } from '../port.js'
import { append } from './append.js'
import { measure } from './measure.js'

/**
 * Puts a batch behind all others. KEYS: log, part, seen, marks. ARGV: PUBLISH or SPUBLISH, the topic's id, the batch's field of `seen`, its number,
 * the field and number of the batch that has to be there already or '', how many entries, their bytes, the entries packed.
 * Answers the offset of the first, as digits; `gone` where the partition is another topic's; `gap` where the batch before is not there.
 * A batch that was there before gets the same answer, and nothing happens.
 */
const beginning = `
local base = string.sub(KEYS[1], 1, -4)

local function known(field, number)
  local was = redis.call('HGET', KEYS[3], field)
  if was and string.sub(was, 1, #number + 1) == number .. ' ' then return string.match(was, '^%d+ %d+ (.*)$') end
end

local function remember(field, number, answer)
  redis.call('HSET', KEYS[3], field, number .. ' ' .. redis.call('TIME')[1] .. ' ' .. answer)
end

local answered = known(ARGV[3], ARGV[4])
if answered then return answered end
if ARGV[5] ~= '' and not known(ARGV[5], ARGV[6]) then return 'gap' end
local id = redis.call('HGET', KEYS[2], 'id')
if id and id ~= ARGV[2] then return 'gone' end

local packed, at = ARGV[9], 1
local function unpackNext()
  local value, key, meta
  value, key, meta, at = struct.unpack('<I4c0I4c0I4c0', packed, at)
  return value, key, meta
end
`

export const publishScript: Script = {
  name: 'publish',
  lua: `${append}${beginning}
local first = append(base, tonumber(ARGV[7]), tonumber(ARGV[8]), unpackNext)
if not id then redis.call('HSET', KEYS[2], 'id', ARGV[2]) end
remember(ARGV[3], ARGV[4], first)
redis.call(ARGV[1], base .. '!', 'ready')
return first
`,
}

/**
 * As `publish`, for a topic with a cap and for drafts with dedup ids. ARGV[10] is JSON: `dedup`: of each draft that has one its place (from 1), id, windowMs, and
 * `timestamp id` of the draft; `cap`: count and bytes, whether to trim, the groups that pin nothing. KEYS from the fifth on: the logs of the topic's
 * partitions where there is a cap, then the keys of the dedup ids. Answers JSON: `first`, the places in `full`, and in `dups` of each duplicate its
 * place and `offset timestamp id` of the original, where the offset is - while it is held.
 */
export const publishCarefullyScript: Script = {
  name: 'publishCarefully',
  lua: `${append}${measure}${beginning}
local ask = cjson.decode(ARGV[10])
local cap = ask.cap
local isIdle = {}
for _, group in ipairs(cap and cap.idle or {}) do isIdle[group] = true end

-- What some group has not finished in a partition: how many, their bytes, and where the unread begin. Exactly, or no fewer bytes than there are.
local function unreadOf(part, isExact)
  local was = redis.call('HMGET', part .. 'part', 'trimmed', 'bytes')
  local trimmed = tonumber(was[1] or 0)
  local total = redis.call('XLEN', part .. 'log') + trimmed
  local count, low = 0, nil
  for _, group in ipairs(redis.call('SMEMBERS', part .. 'groups')) do
    if not isIdle[group] then
      local cursor = redis.call('HMGET', part .. 'c:' .. group, 'read', 'leased', 'waiting', 'low')
      if cursor[4] then
        count = math.max(count, total - math.max(trimmed, tonumber(cursor[1] or 0)) + tonumber(cursor[2] or 0) + tonumber(cursor[3] or 0))
        low = math.min(low or math.huge, tonumber(cursor[4]))
      end
    end
  end
  local bytes = 0
  if low and cap.bytes then
    local _, sum = (isExact and before or markBefore)(part, low)
    bytes = math.max(0, tonumber(was[2] or 0) - sum)
  end
  return count, bytes, low
end

local unread, unreadBytes, lows = 0, 0, {}
local function look(isExact)
  unread, unreadBytes, lows = 0, 0, {}
  for i = 1, cap and cap.partitions or 0 do
    local part = string.sub(KEYS[4 + i], 1, -4)
    local count, bytes, low = unreadOf(part, isExact)
    unread, unreadBytes = unread + count, unreadBytes + bytes
    if low then lows[part] = low end
  end
end
look(false)
if cap and cap.bytes and unreadBytes + tonumber(ARGV[8]) > cap.bytes then look(true) end

-- Removes the oldest unread entry of all partitions; false when there is none.
local function trimOldest()
  local oldest, where
  for part, low in pairs(lows) do
    local entry = redis.call('XRANGE', part .. 'log', idOf(low), '+', 'COUNT', 1)[1]
    if entry then
      local ms, seq = string.match(entry[1], '(%d+)-(%d+)')
      local offset = tonumber(ms) * 4096 + tonumber(seq)
      if not oldest or offset < oldest.offset then oldest, where = { offset = offset, id = entry[1], bytes = weigh(entry), seq = tonumber(seq), ms = ms }, part end
    end
  end
  if not oldest then return false end
  local _, sum = before(where, oldest.offset)
  local cut = redis.call('XTRIM', where .. 'log', 'MINID', oldest.ms .. '-' .. digits(oldest.seq + 1))
  redis.call('HINCRBY', where .. 'part', 'trimmed', cut)
  redis.call('HSET', where .. 'part', 'trimmedBytes', digits(sum + oldest.bytes))
  lows[where] = oldest.offset + 1
  unread, unreadBytes = unread - 1, unreadBytes - oldest.bytes
  return true
end

local function fits(bytes)
  return unread + 1 <= (cap.count or math.huge) and unreadBytes + bytes <= (cap.bytes or math.huge)
end

local dedups = {}
for i, each in ipairs(ask.dedup) do dedups[each[1]] = { key = KEYS[4 + (cap and cap.partitions or 0) + i], windowMs = each[2], original = each[3] } end

local taken, takenBytes, full, dups, firsts = {}, 0, {}, {}, {}
-- Only what is in the log, and a topic without groups has nothing unread.
local isBound = cap and next(lows) ~= nil
for i = 1, tonumber(ARGV[7]) do
  local value, key, meta = unpackNext()
  local bytes, dedup = #value + #key + #meta, dedups[i]
  local original = dedup and redis.call('GET', dedup.key)
  if original and string.sub(original, 1, #ARGV[2] + 1) ~= ARGV[2] .. ' ' then original = nil end
  if dedup and firsts[dedup.key] then
    dups[#dups + 1] = { i, firsts[dedup.key] }
  elseif original then
    dups[#dups + 1] = { i, string.sub(original, #ARGV[2] + 2) }
  else
    if isBound and not cap.trim and not fits(bytes) then
      full[#full + 1] = i
    else
      taken[#taken + 1] = { value, key, meta, dedup }
      takenBytes = takenBytes + bytes
      unread, unreadBytes = unread + 1, unreadBytes + bytes
      if dedup then firsts[dedup.key] = #taken end
    end
  end
end

local answer = { first = '', full = full, dups = dups }
if #taken > 0 then
  answer.first = append(base, #taken, takenBytes, function(i) return taken[i][1], taken[i][2], taken[i][3] end)
  if not id then redis.call('HSET', KEYS[2], 'id', ARGV[2]) end
end
-- The youngest stays, however large.
while isBound and cap.trim and unread > 1 and (unread > (cap.count or math.huge) or unreadBytes > (cap.bytes or math.huge)) and trimOldest() do end
local function originalOf(i)
  return digits(tonumber(answer.first) + i - 1) .. ' ' .. taken[i][4].original
end
for i, each in ipairs(taken) do
  if each[4] then redis.call('SET', each[4].key, ARGV[2] .. ' ' .. originalOf(i), 'PX', digits(math.max(1, each[4].windowMs))) end
end
for _, dup in ipairs(dups) do
  if type(dup[2]) == 'number' then dup[2] = originalOf(dup[2]) end
end
local text = cjson.encode(answer)
remember(ARGV[3], ARGV[4], text)
if #taken > 0 then redis.call(ARGV[1], base .. '!', 'ready') end
return text
`,
}
