import type { Script } from '../port.js'
import { beats } from './beats.js'

/** Lua: the group's row, the topic's id in the hash of groups, and who lives, after a beat: with 1 in front, or 0 when the member counts as dead. */
const answer = `
local function answer(beats, groups, group, member, leaseMs, most)
  local has = redis.call('HMGET', groups, '#id', group)
  local wall = beat(beats, member, leaseMs, most)
  if not wall then return { 0, has[2], has[1], {} } end
  return { 1, has[2], has[1], redis.call('ZRANGEBYSCORE', beats, string.format('(%.0f', wall), '+inf') }
end
`

/** Lua: a cursor as others see it: owner, membership, epoch, how many news there are, and whether the log has something after an entry. */
const looks = `
local function look(log, group, after)
  local base = string.sub(log, 1, -4)
  local cursor = redis.call('HMGET', base .. 'c:' .. group, 'o', 'i', 'e')
  local isMore = after ~= '' and #redis.call('XRANGE', log, after, '+', 'COUNT', 1) or 0
  return { cursor[1], cursor[2], cursor[3], after == '' and 0 or redis.call('LLEN', base .. 'n:' .. group), isMore }
end
`

/** Keys: beats and groups of the topic. Arguments: group, member, lease in ms, how many ms ago it asked for its last beat that was answered or nothing when it joins. Answers as `answer` gives. */
export const beatScript: Script = {
  name: 'beat',
  lua: `${beats}${answer}
return answer(KEYS[1], KEYS[2], ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]))
`,
}

/** Keys: logs. Arguments: group, then for each log where to look for more, or nothing. Answers as `look` gives, for each log. */
export const lookScript: Script = {
  name: 'look',
  lua: `${looks}
local answers = {}
for at, log in ipairs(KEYS) do answers[at] = look(log, ARGV[1], ARGV[at + 1]) end
return answers
`,
}

/** Both in one, where all keys are on one server: what a member asks once a second. Keys and arguments of the one, then those of the other, the group but once. */
export const rosterScript: Script = {
  name: 'roster',
  lua: `${beats}${answer}${looks}
local answers = { answer(KEYS[1], KEYS[2], ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])) }
for at = 3, #KEYS do answers[at - 1] = look(KEYS[at], ARGV[1], ARGV[at + 2]) end
return answers
`,
}
