import type { Script } from '../port.js'
import { append } from './append.js'
import { ground } from './pieces.js'

/** How long it is known of a partition that its topic was removed, so that who has not heard of it does not make it anew. */
const tombstoneS = 86_400

/**
 * Makes a partition a topic's that was another's before, where nothing of that is left. KEYS: log. ARGV: the topic's id. Answers 1, or 0 where it is
 * another's, or the topic itself was removed. Offsets go on.
 */
export const begin: Script = {
  name: 'begin',
  lua: `${ground}
reach(base .. 'marks')
local was = redis.call('HMGET', part, 'id', 'last')
local id = was[1]
if id == ARGV[1] then return 1 end
if id == '-' .. ARGV[1] then return 0 end
if id and string.sub(id, 1, 1) ~= '-' and redis.call('XLEN', log) > 0 then return 0 end
redis.call('DEL', part, base .. 'marks')
redis.call('HSET', part, 'id', ARGV[1], 'last', was[2] or '0')
return 1
`,
}

/** Removes all that a partition has, and leaves word of it. KEYS: log. ARGV: the topic's id. Answers 0 where it is another topic's by now. */
export const removePartition: Script = {
  name: 'removePartition',
  lua: `${append}${ground}
local was = redis.call('HMGET', part, 'id', 'last')
if was[1] and was[1] ~= ARGV[1] and was[1] ~= '-' .. ARGV[1] then return 0 end
local keys = { log, part }
for _, name in ipairs({ 'seen', 'marks', 'groups', 'h', 'oy', 'op', 'due', 'parks', 'hg' }) do keys[#keys + 1] = base .. name end
for _, id in ipairs(redis.call('ZRANGE', base .. 'parks', 0, -1)) do
  local row = redis.call('HGET', base .. 'h', id)
  local hold = row and cjson.decode(string.sub(row, 27, 26 + struct.unpack('<I4', string.sub(row, 7, 10))))
  if hold and type(hold['then']) == 'table' then keys[#keys + 1] = base .. 'a:' .. hold['then'].ask end
end
for _, set in ipairs({ 'groups', 'hg' }) do
  for _, group in ipairs(redis.call('SMEMBERS', base .. set)) do
    for _, name in ipairs({ 'c', 'h', 'l', 'n', 'or', 'od', 'ol' }) do keys[#keys + 1] = base .. name .. ':' .. group end
  end
end
for at = 1, #keys, 1000 do redis.call('EXISTS', unpack(keys, at, math.min(#keys, at + 999))) end
local last = tonumber(was[2] or 0)
if redis.call('EXISTS', log) == 1 then
  local ms, seq = lastOf(log)
  last = math.max(last, ms * 4096 + math.min(seq, 4095))
end
for at = 1, #keys, 1000 do redis.call('UNLINK', unpack(keys, at, math.min(#keys, at + 999))) end
redis.call('HSET', part, 'id', '-' .. ARGV[1], 'last', digits(last))
redis.call('EXPIRE', part, ${tombstoneS})
return 1
`,
}
