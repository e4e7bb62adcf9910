import type { Script } from '../port.js'
import { append } from './append.js'
import { appendRows, ground, messageRows, rows } from './pieces.js'

/**
 * Releases what is due in a partition. Arguments: PUBLISH or SPUBLISH, how many at most, then the producer groups that can be asked. Answers: how many
 * were released; the ids that are to be parked; those that are to be asked about; when something is due next, or nothing; the server's time.
 */
export const ripen: Script = {
  name: 'ripen',
  lua: `${ground}${rows}${messageRows}${append}${appendRows}
local pub, most = ARGV[1], tonumber(ARGV[2])
local wall = now()
local ripe, groups = {}, {}

local function dueOf(key)
  return redis.call('ZRANGEBYSCORE', key, '-inf', wall, 'LIMIT', 0, most)
end

-- A group whose cursor is gone leaves its holds to whoever decides.
local function releaseToGroup(member)
  local offset, group = string.match(member, '^g(%d+)@(.+)$')
  local row = redis.call('HGET', base .. 'h:' .. group, offset)
  redis.call('ZREM', base .. 'due', member)
  if row then release(pub, group, offset, row) end
end

local due, rowOf = dueOf(base .. 'due'), {}
reachMessages()
for _, member in ipairs(due) do
  local group = string.match(member, '^g%d+@(.+)$')
  if group and not groups[group] then
    reachGroup(group)
    groups[group] = true
  elseif not group then
    rowOf[member] = redis.call('HGET', base .. 'h', string.sub(member, 2))
    if rowOf[member] then reachDedup(rowOf[member]) end
  end
end

local function releaseMessage(member)
  local row = rowOf[member]
  if not row then return redis.call('ZREM', base .. 'due', member) end
  ripe[#ripe + 1] = row
  removeMessage(string.sub(member, 2), row, '')
end

for _, member in ipairs(due) do
  if string.sub(member, 1, 1) == 'm' then releaseMessage(member) else releaseToGroup(member) end
end
if #ripe > 0 then
  appendRows(ripe)
  stir(pub, 'ready')
end
if #due > 0 then stir(pub, 'held') end

local asked, next = {}, false
local function soonest(key)
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if first[2] and (not next or tonumber(first[2]) < tonumber(next)) then next = first[2] end
end
for at = 3, #ARGV do
  for _, id in ipairs(dueOf(askedFor(ARGV[at]))) do asked[#asked + 1] = id end
  soonest(askedFor(ARGV[at]))
end
soonest(base .. 'due')
soonest(base .. 'parks')
return { #due, dueOf(base .. 'parks'), asked, next, string.format('%.0f', wall) }
`,
}
