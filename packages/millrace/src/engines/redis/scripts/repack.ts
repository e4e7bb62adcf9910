import type { Script } from '../port.js'
import { append } from './append.js'
import { ground } from './pieces.js'

/** Moves entries of others, whose ids are no offsets, to the end of the log. Arguments: PUBLISH or SPUBLISH, then for each: id, value, key, meta. Answers how many were there. */
export const repack: Script = {
  name: 'repack',
  lua: `${ground}${append}
reach(base .. 'marks')
local moved = 0
for arg = 2, #ARGV, 4 do
  if redis.call('XDEL', log, ARGV[arg]) == 1 then
    append(base, 1, #ARGV[arg + 1] + #ARGV[arg + 2] + #ARGV[arg + 3], function() return ARGV[arg + 1], ARGV[arg + 2], ARGV[arg + 3] end)
    moved = moved + 1
  end
end
if moved > 0 then stir(ARGV[1], 'ready') end
return moved
`,
}
