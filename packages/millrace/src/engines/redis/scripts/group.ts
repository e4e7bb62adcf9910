import type { Script } from '../port.js'
import { append } from './append.js'
import { measure } from './measure.js'
import { ground, rows } from './pieces.js'

/** Lua: the offset after the last entry that ever was. */
const ending = `
local function ending()
  local last = tonumber(redis.call('HGET', part, 'last') or 0)
  if redis.call('EXISTS', log) == 1 then
    local ms, seq = lastOf(log)
    last = math.max(last, ms * 4096 + math.min(seq, 4095))
  end
  return last == 0 and 0 or last + 1
end

local function starting()
  local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
  if not first then return ending() end
  local ms, seq = string.match(first[1], '(%d+)-(%d+)')
  return ms * 4096 + math.min(seq, 4095)
end
`

/**
 * A cursor for a group that has none in this partition. KEYS: log. ARGV: the topic's id, group, start or end.
 * Answers 1, 0 where there is one, -1 where the partition is another topic's. Epochs begin with the time, so that those of a group that is made again are higher.
 */
export const makeCursor: Script = {
  name: 'makeCursor',
  lua: `${append}${ground}${ending}
local cursor = base .. 'c:' .. ARGV[2]
reach(cursor, base .. 'groups')
local id = redis.call('HGET', part, 'id')
if id and id ~= ARGV[1] then return -1 end
if redis.call('EXISTS', cursor) == 1 then return 0 end
if not id then redis.call('HSET', part, 'id', ARGV[1]) end
local trimmed = tonumber(redis.call('HGET', part, 'trimmed') or 0)
local next, read = digits(starting()), trimmed
if ARGV[3] == 'end' then next, read = digits(ending()), trimmed + redis.call('XLEN', log) end
redis.call('HSET', cursor, 'e', math.floor(now() / 1000), 'v', 0, 'o', '', 'i', '', 'by', '', 'next', next, 'low', next, 'read', digits(read), 'used', digits(now()),
  's', '{"next":' .. next .. ',"leased":[],"waiting":[],"again":[],"copies":[]}')
redis.call('SADD', base .. 'groups', ARGV[2])
return 1
`,
}

/** Takes a group out of a partition with its holds. KEYS: log. ARGV: group, the epoch that it may have at most, or nothing. */
export const removeCursor: Script = {
  name: 'removeCursor',
  lua: `${ground}${rows}
local group = ARGV[1]
reachGroup(group)
reach(base .. 'groups')
local epoch = redis.call('HGET', base .. 'c:' .. group, 'e')
if ARGV[2] ~= '' and epoch and tonumber(epoch) > tonumber(ARGV[2]) then return 0 end
for _, offset in ipairs(redis.call('HKEYS', base .. 'h:' .. group)) do redis.call('ZREM', base .. 'due', 'g' .. offset .. '@' .. group) end
for _, name in ipairs({ 'c', 'h', 'l', 'n', 'or', 'od', 'ol' }) do redis.call('UNLINK', base .. name .. ':' .. group) end
redis.call('SREM', base .. 'groups', group)
redis.call('SREM', base .. 'hg', group)
-- What the janitor showed of it; one that plain consumers read is theirs.
for _, info in ipairs(redis.call('EXISTS', log) == 1 and redis.call('XINFO', 'GROUPS', log) or {}) do
  local fields = {}
  for i = 1, #info, 2 do fields[info[i]] = info[i + 1] end
  if fields.name == group and fields.consumers == 0 then redis.call('XGROUP', 'DESTROY', log, group) end
end
return 1
`,
}

/**
 * Lua: a place as an offset within the log: `start`, `end`, `o` and an offset, `t` and a time. A time is when an entry took its place.
 */
export const placing = `
local function placeOf(place)
  local first, last = starting(), ending()
  if place == 'start' then return first end
  if place == 'end' then return last end
  local number = tonumber(string.sub(place, 2))
  if string.sub(place, 1, 1) == 't' then number = number * 4096 end
  return math.min(math.max(number, first), last)
end
`

/**
 * Moves a group. KEYS: log. ARGV: PUBLISH or SPUBLISH, group, the place. Answers 1, 0 where it has no cursor. What is in hand lapses; what waits to be
 * had again before the place goes on waiting, as do released messages, retries and loans; those at or after it are dropped.
 */
export const seek: Script = {
  name: 'seek',
  lua: `${append}${measure}${ground}${rows}${ending}${placing}
local pub, group = ARGV[1], ARGV[2]
local cursor = base .. 'c:' .. group
reachGroup(group)
local was = redis.call('HMGET', cursor, 'e', 's', 'read', 'purged')
if not was[1] then return 0 end
local place = placeOf(ARGV[3])

-- How many there are in the log from an offset to before another.
local function entriesIn(from, to)
  local count, start = 0, idOf(from)
  repeat
    local entries = redis.call('XRANGE', log, start, '(' .. idOf(to), 'COUNT', 512)
    count = count + #entries
    if #entries > 0 then start = '(' .. entries[#entries][1] end
  until #entries < 512
  return count
end

local function beforePlace(runs)
  local kept, count = {}, 0
  for _, run in ipairs(runs) do
    if run[1] < place then
      local to = math.min(run[2], place)
      kept[#kept + 1] = { run[1], to }
      count = count + entriesIn(run[1], to)
    end
  end
  return kept, count
end

local function text(lists)
  local parts = {}
  for i, list in ipairs(lists) do
    local words = {}
    for j, number in ipairs(list) do words[j] = digits(number) end
    parts[i] = '[' .. table.concat(words, ',') .. ']'
  end
  return '[' .. table.concat(parts, ',') .. ']'
end

local state = cjson.decode(was[2] or '{"leased":[],"waiting":[],"again":[]}')
local waiting, waits = beforePlace(state.waiting)
local _, inHand = beforePlace(state.leased)
local again = {}
for _, each in ipairs(state.again) do
  for _, run in ipairs(waiting) do
    if run[1] <= each[1] and each[1] < run[2] then again[#again + 1] = each end
  end
end

local trimmed = tonumber(redis.call('HGET', part, 'trimmed') or 0)
local read = tonumber(was[3] or 0)
local to = before(base, place)
-- Never taken, in hand before the place, or gone before: the group will not see them.
local passed = math.max(0, to - math.max(trimmed, read)) + inHand + math.max(0, trimmed - read)

for _, offset in ipairs(redis.call('HKEYS', base .. 'h:' .. group)) do
  if tonumber(offset) >= place and stateOf(redis.call('HGET', base .. 'h:' .. group, offset)) ~= 'd' then remove(group, offset) end
end
redis.call('DEL', base .. 'n:' .. group)
redis.call('HINCRBY', cursor, 'e', 1)
redis.call('HSET', cursor, 'o', '', 'i', '', 'next', digits(place), 'low', digits(waiting[1] and waiting[1][1] or place), 'read', digits(to), 'leased', 0, 'copies', 0, 'waiting', waits,
  's', '{"next":' .. digits(place) .. ',"leased":[],"waiting":' .. text(waiting) .. ',"again":' .. text(again) .. ',"copies":[]}',
  'purged', digits(tonumber(was[4] or 0) + passed), 'used', digits(now()))
stir(pub, 'members')
stir(pub, 'ready')
stir(pub, 'held')
return 1
`,
}

/** The offset of a place. KEYS: log. ARGV: the place. */
export const findPlace: Script = {
  name: 'findPlace',
  lua: `${append}${ground}${ending}${placing}
return digits(placeOf(ARGV[1]))
`,
}

/** How many entries ever came before an offset. KEYS: log. ARGV: the offset. */
export const countBeforeScript: Script = {
  name: 'countBefore',
  lua: `${append}${measure}${ground}
return digits(before(base, tonumber(ARGV[1])))
`,
}
