import type { Script } from '../port.js'
import { beats } from './beats.js'

/** A member goes on living, unless it is dead or unknown. Key: beats of a group. Arguments: member, lease in ms, how many ms ago it asked for its last beat that was answered. Answers 1 when it lives. */
export const stillBeats: Script = {
  name: 'stillBeats',
  lua: `${beats}
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
return beat(KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])) and 1 or 0
`,
}
