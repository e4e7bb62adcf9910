import type { Script } from '../port.js'
import { ground, rows } from './pieces.js'

/** How many news, and bytes of their rows, an answer has at most. */
const newsMost = 200
const newsBytes = 2 ** 20

/** Lua: the cursor has no owner, and another claim follows. */
export const letGo = `
local function letGo(cursor, group)
  redis.call('DEL', base .. 'n:' .. group)
  redis.call('HINCRBY', cursor, 'e', 1)
  redis.call('HSET', cursor, 'o', '', 'i', '')
end
`

/**
 * Writes where a group stands in a partition, and the rows of held messages that change with it. Arguments: PUBLISH or SPUBLISH, group, epoch,
 * membership, the version that this makes, the last entry that was read as a stream's id or nothing, how many entries were read before or nothing, how many news were heeded, 1 to let go of the
 * cursor, then the cursor's fields: how many they are together, names and values; then for each row: offset, row or nothing to remove it, when it is due or nothing.
 * Answers nothing when the cursor is another's by now, or the server has lost what was written before; else how many
 * news there are, and what they are about: offsets, each with its row as it is now; the log's first entry where more were trimmed than were read before, + for none. What was sent twice by the client is done once.
 */
export const commit: Script = {
  name: 'commit',
  lua: `${ground}${rows}${letGo}
local pub, group, epoch, membership, makes, tail, known, heeded, isLast = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6], ARGV[7], tonumber(ARGV[8]), ARGV[9] == '1'
local fields = tonumber(ARGV[10])
local cursor, held, told = base .. 'c:' .. group, base .. 'h:' .. group, base .. 'n:' .. group
reachGroup(group)

local was = redis.call('HMGET', cursor, 'e', 'i', 'v')
if was[1] ~= epoch or was[2] ~= membership then
  -- It let go of it already, and the answer was lost.
  return isLast and was[1] == string.format('%.0f', epoch + 1) and tonumber(was[3]) == makes and { 0, {}, false } or false
end
local before = tonumber(was[3] or 0)
if before < makes - 1 then return false end

-- A failover may have lost entries that were read ahead: others come in their place.
local function isThere(id)
  if #redis.call('XRANGE', log, id, id) > 0 then return true end
  local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
  if not first then return tonumber(redis.call('HGET', part, 'trimmed') or 0) > 0 end
  local ms, seq = string.match(id, '(%d+)-(%d+)')
  local firstMs, firstSeq = string.match(first[1], '(%d+)-(%d+)')
  return tonumber(firstMs) > tonumber(ms) or (firstMs == ms and tonumber(firstSeq) > tonumber(seq))
end

local function change(offset, row, due)
  local old = redis.call('HGET', held, offset)
  if row == '' then return old and remove(group, offset) end
  if old and isListed[stateOf(old)] then redis.call('HINCRBY', cursor, 'dp', 1) end
  put(group, offset, row, due)
  if due ~= '' then stirDue(pub, base .. 'due', due) end
end

if before < makes then
  if tail ~= '' and not isThere(tail) then return false end
  -- A first write that needs no memory: with it a server that is full lets the others pass, and what is done makes room.
  redis.call('LTRIM', told, heeded, -1)
  redis.call('HSET', cursor, 'v', makes, 'by', membership, 'used', string.format('%.0f', now()), unpack(ARGV, 11, 10 + fields))
  for arg = 11 + fields, #ARGV, 3 do change(ARGV[arg], ARGV[arg + 1], ARGV[arg + 2]) end
  if #ARGV >= 11 + fields then stir(pub, 'held') end
end
if isLast then
  letGo(cursor, group)
  return { 0, {}, false }
end

local about, bytes, seen, count = {}, 0, {}, 0
for _, what in ipairs(redis.call('LRANGE', told, 0, ${newsMost - 1})) do
  local offset = string.sub(what, 2)
  if not seen[offset] then
    local row = redis.call('HGET', held, offset)
    bytes = bytes + (row and #row or 0)
    if bytes > ${newsBytes} and count > 0 then break end
    seen[offset] = true
    about[#about + 1] = offset
    about[#about + 1] = row
  end
  count = count + 1
end
local first = false
if known ~= '' and tonumber(redis.call('HGET', part, 'trimmed') or 0) > tonumber(known) then
  first = (redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1] or {})[1] or '+'
end
return { count, about, first }
`,
}
