import type { Script } from '../port.js'

/** Takes or prolongs a lease. KEYS: its key. ARGV: who, ms. Answers 1, or 0 where another has it. */
export const lease: Script = {
  name: 'lease',
  lua: `
local now = redis.call('GET', KEYS[1])
if now and now ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`,
}

/** Gives a lease up. KEYS: its key. ARGV: who. */
export const giveUp: Script = {
  name: 'giveUp',
  lua: `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`,
}

/** Forgets batches that are older than so many seconds. KEYS: seen. ARGV: seconds. */
export const forget: Script = {
  name: 'forget',
  lua: `
local now, seen = tonumber(redis.call('TIME')[1]), redis.call('HGETALL', KEYS[1])
for i = 1, #seen, 2 do
  local at = tonumber(string.match(seen[i + 1], '^%d+ (%d+)'))
  if at and now - at > tonumber(ARGV[1]) then redis.call('HDEL', KEYS[1], seen[i]) end
end
return 1
`,
}
