import type { Script } from '../port.js'

/** Changes a field of a hash that is still as expected. KEYS: hash. ARGV: field, what is expected, what it becomes. Answers 1, or 0 where it is another by now. */
export const updateField: Script = {
  name: 'updateField',
  lua: `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
`,
}
