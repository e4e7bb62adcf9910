import { cursorFields } from '../cursor-row.js'
import type { Script } from '../port.js'
import { ground, rows } from './pieces.js'

/**
 * Takes a group's cursor of a partition. Arguments: the topic's id, group, member, membership, the epoch that the cursor was seen in.
 * Answers nothing when the partition is another topic's; one value when the cursor is in another epoch by now, or gone; else a second one: the
 * fields of the cursor as they are now. A claim that was sent twice by the client is answered twice.
 */
export const claim: Script = {
  name: 'claim',
  lua: `${ground}${rows}
local topic, group, member, membership, expected = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local cursor = base .. 'c:' .. group
reachGroup(group)
if not isOf(topic) then return false end
local was = redis.call('HMGET', cursor, 'e', 'i')
local isAgain = was[2] == membership and was[1] ~= expected
if not isAgain then
  if not was[1] or was[1] ~= expected then return { was[1] or '' } end
  redis.call('DEL', base .. 'n:' .. group)
  redis.call('HSET', cursor, 'e', was[1] + 1, 'o', member, 'i', membership, 'used', string.format('%.0f', now()))
end
return { '', redis.call('HMGET', cursor, ${cursorFields.map((field) => `'${field}'`).join(', ')}) }
`,
}
