import type { Script } from '../port.js'
import { ground, rows } from './pieces.js'

/** Holds messages of a group that has no cursor, as a broadcast member's dead letters. Arguments: PUBLISH or SPUBLISH, the topic's id, group, then of each: offset, row. */
export const stray: Script = {
  name: 'stray',
  lua: `${ground}${rows}
reachGroup(ARGV[3])
if not isOf(ARGV[2]) then return 0 end
for arg = 4, #ARGV, 2 do put(ARGV[3], ARGV[arg], ARGV[arg + 1], '') end
stir(ARGV[1], 'held')
return 1
`,
}
