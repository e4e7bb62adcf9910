import type { Script } from '../port.js'
import { append } from './append.js'
import { appendRows, ground, messageRows, rows } from './pieces.js'

/**
 * Carries out a decision about a message that nobody has seen. Arguments: PUBLISH or SPUBLISH, its id, the version of the row that was decided about,
 * whom the row asks or nothing, what to tell who listens, then `release` and, when its message was edited, the new row; or `drop`; or `hold` or `keep` and
 * the new row, when it is due or nothing, whom it asks or nothing, when it is parked or nothing. `keep` leaves it in its place in the listing. Answers 1,
 * or 0 when the row is another by now.
 */
export const changeMessage: Script = {
  name: 'changeMessage',
  lua: `${ground}${rows}${messageRows}${append}${appendRows}
local pub, id, expected, asked, word, to, row = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local due, asks, parks = ARGV[8] or '', ARGV[9] or '', ARGV[10] or ''
reachMessages()
if asked ~= '' then reach(askedFor(asked)) end
if asks ~= '' then reach(askedFor(asks)) end
local before = redis.call('HGET', base .. 'h', id)
if not before or versionOf(before) ~= expected then return 0 end
if to == 'release' then reachDedup(before) end
if to == 'keep' then
  untime(id, asked)
  putMessage(id, row, version(), due, asks, parks)
else
  removeMessage(id, before, asked)
end
if to == 'release' then
  appendRows({ row or before })
  stir(pub, 'ready')
elseif to == 'hold' then
  local at = version()
  putMessage(id, row, at, due, asks, parks)
  listMessage(id, stateOf(row), at)
end
if due ~= '' then stirDue(pub, asks == '' and base .. 'due' or askedFor(asks), due) end
stir(pub, word)
return 1
`,
}

/**
 * Carries out a decision about a message that a group holds. Arguments: PUBLISH or SPUBLISH, group, offset, the version of the row that was decided
 * about, then `release` and, when its message was edited, the new row; or `drop` and which count of the group grows; or `hold`, the new row, and when it is due or nothing. Answers 1, or 0 when the row is
 * another by now, or when the group is no more and cannot have it.
 */
export const changeOfGroup: Script = {
  name: 'changeOfGroup',
  lua: `${ground}${rows}
local pub, group, offset, expected, to, row = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
reachGroup(group)
local before = redis.call('HGET', base .. 'h:' .. group, offset)
if not before or versionOf(before) ~= expected then return 0 end
if to == 'release' then
  if not release(pub, group, offset, row or before) then return 0 end
elseif to == 'drop' then
  remove(group, offset)
  count(group, row, 1)
  news(pub, group, 'e' .. offset)
else
  put(group, offset, row, ARGV[7])
  if ARGV[7] ~= '' then stirDue(pub, base .. 'due', ARGV[7]) end
  news(pub, group, 'h' .. offset)
end
stir(pub, 'held')
return 1
`,
}
