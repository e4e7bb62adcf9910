import type { Script } from '../port.js'
import { append } from './append.js'
import { measure } from './measure.js'
import { ground } from './pieces.js'

/** How many entries of a log, since its topic began, came before an offset. */
export const countBefore: Script = {
  name: 'countBefore',
  lua: `${ground}${append}${measure}
return (before(base, tonumber(ARGV[1])))
`,
}
