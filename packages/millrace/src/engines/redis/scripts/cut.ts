import type { Script } from '../port.js'
import { append } from './append.js'
import { measure } from './measure.js'
import { ground } from './pieces.js'

/**
 * Removes from a log what `keep` does not ask for. KEYS: log. ARGV: the topic's id, the age as ms or nothing, how many to keep or nothing, bytes to keep or nothing, 1 where
 * unread ones may go too, at most how many go at once, how many groups pin nothing, their names, the names of all groups. Where one of these has no cursor nothing goes. Groups of others, made with XGROUP, pin what they have not acknowledged.
 * Ours are shown as such, where they stand. Answers how many went, 1 where more may, groups without a cursor, cursors of no group.
 */
export const cut: Script = {
  name: 'cut',
  lua: `${append}${measure}${ground}
local topic, age, keep, keepBytes, mayPass, most = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5] == '1', tonumber(ARGV[6])
reach()
local was = redis.call('HMGET', part, 'id', 'trimmed', 'bytes', 'trimmedBytes')
local length = redis.call('XLEN', log)
if was[1] and was[1] ~= topic then return { 0, 0, {}, {} } end
local isIdle, has, missing, left = {}, {}, {}, {}
local idle = tonumber(ARGV[7])
for i = 8, 7 + idle do isIdle[ARGV[i]] = true end
local cursors = redis.call('SMEMBERS', base .. 'groups')
for _, group in ipairs(cursors) do has[group] = true end
for i = 8 + idle, #ARGV do
  if not has[ARGV[i]] then missing[#missing + 1] = ARGV[i] end
  has[ARGV[i]] = nil
end
for group in pairs(has) do left[#left + 1] = group end
if length == 0 then return { 0, 0, missing, left } end

local function offsetOf(id)
  local ms, seq = string.match(id, '(%d+)-(%d+)')
  return ms * 4096 + math.min(tonumber(seq), 4095)
end

local shown = {}
for _, info in ipairs(redis.call('XINFO', 'GROUPS', log)) do
  local fields = {}
  for i = 1, #info, 2 do fields[info[i]] = info[i + 1] end
  shown[fields.name] = fields
end

-- Everything before it may go as far as groups are concerned.
local low, ours = math.huge, {}
for _, group in ipairs(cursors) do
  local cursor = redis.call('HMGET', base .. 'c:' .. group, 'low', 'read', 'leased', 'waiting')
  local at, read = tonumber(cursor[1] or 0), math.max(tonumber(was[2] or 0), tonumber(cursor[2] or 0))
  if not isIdle[group] then low = math.min(low, at) end
  -- One that plain consumers read, too, is theirs.
  if not shown[group] or (shown[group].consumers == 0 and shown[group].pending == 0) then
    ours[#ours + 1] = { group, idOf(math.max(0, at - 1)), digits(math.max(0, read - tonumber(cursor[3] or 0) - tonumber(cursor[4] or 0))), shown[group] }
    shown[group] = nil
  end
end
for group, fields in pairs(shown) do
  low = math.min(low, offsetOf(fields['last-delivered-id']) + 1)
  if fields.pending > 0 then low = math.min(low, offsetOf(redis.call('XPENDING', log, group)[2])) end
end
-- Entries of others that have no offset lie behind the last one of their millisecond, until who reads them has moved them.
if low > 0 and low < math.huge and low % 4096 == 0 then
  local ms = digits(low / 4096 - 1)
  if #redis.call('XRANGE', log, ms .. '-4096', ms .. '-18446744073709551615', 'COUNT', 1) > 0 then low = low - 1 end
end
if mayPass then low = math.huge end

-- Ours as groups of Redis, for people. Last: a server that is full lets what makes room pass.
local function show()
  for _, each in ipairs(ours) do
    local group, id, finished, now = each[1], each[2], each[3], each[4]
    if not now or now['last-delivered-id'] ~= id then
      local ask = now and { 'XGROUP', 'SETID', log, group, id } or { 'XGROUP', 'CREATE', log, group, id }
      local done = redis.pcall(ask[1], ask[2], ask[3], ask[4], ask[5], 'ENTRIESREAD', finished)
      -- Before 7.0 nobody counts.
      if type(done) == 'table' and done.err then redis.pcall(unpack(ask)) end
    end
  end
end

local function none()
  show()
  return { 0, 0, missing, left }
end

if missing[1] then return none() end

local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1][1]
local start = offsetOf(first)
redis.call('ZREMRANGEBYSCORE', base .. 'marks', '-inf', '(' .. digits(start))
if low <= start then return none() end

-- The place up to which the log goes, never more than so many entries further.
local place = start
local function upTo(offset) place = math.max(place, offset) end
local function entryAfter(count)
  local at, left = '-', count
  while left > 0 do
    local entries = redis.call('XRANGE', log, at, '+', 'COUNT', math.min(left, 512))
    if #entries == 0 then return nil end
    left = left - #entries
    at = '(' .. entries[#entries][1]
  end
  local entry = redis.call('XRANGE', log, at, '+', 'COUNT', 1)[1]
  return entry and entry[1]
end

local horizon = math.huge
if length > most then horizon = offsetOf(entryAfter(most) or first) end
if age ~= '' then upTo((now() - tonumber(age) + 1) * 4096) end
if keep ~= '' and length > tonumber(keep) then
  local over = length - tonumber(keep)
  if over >= most or over == length then upTo(horizon) else upTo(offsetOf(entryAfter(over))) end
end
if keepBytes ~= '' then
  local left = tonumber(was[3] or 0) - tonumber(was[4] or 0)
  local at, seen = '-', 0
  while left > tonumber(keepBytes) and seen < most do
    local entries = redis.call('XRANGE', log, at, '+', 'COUNT', 128)
    if #entries == 0 then break end
    for _, entry in ipairs(entries) do
      if left <= tonumber(keepBytes) then break end
      left = left - weigh(entry)
      upTo(offsetOf(entry[1]) + 1)
      seen = seen + 1
    end
    at = '(' .. entries[#entries][1]
  end
end
local to = math.min(place, low, horizon)
if to <= start then return none() end
local isAll = to > offsetOf(redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1][1])
local bytes = tonumber(was[3] or 0)
if not isAll then
  local _, sum = before(base, to)
  bytes = sum
end
local gone = isAll and redis.call('XTRIM', log, 'MAXLEN', 0) or redis.call('XTRIM', log, 'MINID', idOf(to))
redis.call('HSET', part, 'trimmed', digits(tonumber(was[2] or 0) + gone), 'trimmedBytes', digits(bytes))
redis.call('ZREMRANGEBYSCORE', base .. 'marks', '-inf', '(' .. digits(isAll and 2 ^ 53 or to))
show()
return { gone, to == horizon and 1 or 0, missing, left }
`,
}
