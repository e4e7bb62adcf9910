import type { Script } from '../port.js'

/** When something is due next in each of some partitions. Keys: their logs. Arguments: the producer groups that can be asked. Answers: a time or nothing for each. */
export const soonest: Script = {
  name: 'soonest',
  lua: `
local answers = {}
for at, log in ipairs(KEYS) do
  local base = string.sub(log, 1, -4)
  local next = false
  local function look(key)
    local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    if first[2] and (not next or tonumber(first[2]) < tonumber(next)) then next = first[2] end
  end
  look(base .. 'due')
  look(base .. 'parks')
  for _, producers in ipairs(ARGV) do look(base .. 'a:' .. producers) end
  answers[at] = next
end
return answers
`,
}
