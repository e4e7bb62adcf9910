import type { Script } from '../port.js'
import { letGo } from './commit.js'
import { ground, rows } from './pieces.js'

/** Lets go of a cursor of which nothing was read, and leaves it as the owner before wrote it. Arguments: group, epoch, membership. */
export const free: Script = {
  name: 'free',
  lua: `${ground}${rows}${letGo}
local group, epoch, membership = ARGV[1], ARGV[2], ARGV[3]
local cursor = base .. 'c:' .. group
reachGroup(group)
local was = redis.call('HMGET', cursor, 'e', 'i')
if was[1] ~= epoch or was[2] ~= membership then return 0 end
letGo(cursor, group)
return 1
`,
}
