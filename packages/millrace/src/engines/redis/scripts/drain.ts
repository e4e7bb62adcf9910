import type { Script } from '../port.js'

/**
 * Takes items off a list. KEYS: list, hash of those in hand. ARGV: RPOP or LPOP, most items, most bytes, a name for those that nobody has named. What is in hand already is
 * answered again, and no more is taken: a call that was lost, or an importer that died, loses nothing. Answers their name, how long the list is, then number and item in turn.
 */
export const take: Script = {
  name: 'drain-take',
  lua: `
local list, hand = KEYS[1], KEYS[2]
local inHand, items = redis.call('HGETALL', hand), {}
for i = 1, #inHand, 2 do
  local number = tonumber(inHand[i])
  if number then items[#items + 1] = { number, inHand[i + 1] } end
end
table.sort(items, function(one, other) return one[1] < other[1] end)
if #items == 0 and redis.call('LLEN', list) > 0 then
  redis.call('HSETNX', hand, 'name', ARGV[4])
  local next, bytes = tonumber(redis.call('HGET', hand, 'next') or 0), 0
  while #items < tonumber(ARGV[2]) and bytes < tonumber(ARGV[3]) do
    local item = redis.call(ARGV[1], list)
    if not item then break end
    items[#items + 1] = { next, item }
    redis.call('HSET', hand, string.format('%.0f', next), item)
    next, bytes = next + 1, bytes + #item
  end
  redis.call('HSET', hand, 'next', string.format('%.0f', next))
end
local answer = { redis.call('HGET', hand, 'name') or '', redis.call('LLEN', list) }
for _, item in ipairs(items) do
  answer[#answer + 1] = string.format('%.0f', item[1])
  answer[#answer + 1] = item[2]
end
return answer
`,
}

/** Lets go of items. KEYS: hash, list of refused ones. ARGV: how many are refused, their numbers, those of the others. */
export const end: Script = {
  name: 'drain-end',
  lua: `
local refused = tonumber(ARGV[1])
for i = 2, #ARGV do
  local item = i <= refused + 1 and redis.call('HGET', KEYS[1], ARGV[i])
  if item then redis.call('LPUSH', KEYS[2], item) end
  redis.call('HDEL', KEYS[1], ARGV[i])
end
return 1
`,
}

/** Forgets the name where nothing is in hand. KEYS: list, hash. */
export const finish: Script = {
  name: 'drain-finish',
  lua: `
if redis.call('LLEN', KEYS[1]) == 0 and redis.call('HLEN', KEYS[2]) <= 2 then redis.call('DEL', KEYS[2]) end
return 1
`,
}
