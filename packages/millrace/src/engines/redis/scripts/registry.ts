import type { Script } from '../port.js'

/** KEYS: topics. ARGV: name, the row that is expected or '', the new row or ''. Answers 1, or 0 where another row is there. */
export const registryScript: Script = {
  name: 'registry',
  lua: `
local now = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if now ~= ARGV[2] then return now == ARGV[3] and 1 or 0 end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
redis.call('HINCRBY', KEYS[1], '#version', 1)
return 1
`,
}
