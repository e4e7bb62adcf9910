import type { Script } from '../port.js'
import { ground, messageRows, rows } from './pieces.js'

/**
 * Holds drafts of one partition. Arguments: PUBLISH or SPUBLISH, the topic's id, then for each draft: id, row, when it is due or nothing, the producer
 * group to ask or nothing, when it is parked or nothing, dedup id or nothing, its window, what is known of the draft. Answers for each: 1 held, 0 there
 * is one with its id, or what is known of the first with its dedup id; or nothing at all when the partition is another topic's. A draft that is there
 * already as it is here was sent twice by the client.
 */
export const hold: Script = {
  name: 'hold',
  lua: `${ground}${rows}${messageRows}
local pub, topic = ARGV[1], ARGV[2]
reachMessages()
for arg = 3, #ARGV, 8 do
  if ARGV[arg + 3] ~= '' then reach(askedFor(ARGV[arg + 3])) end
  if ARGV[arg + 5] ~= '' then reach(base .. 'd:' .. ARGV[arg + 5]) end
end
if not isOf(topic) then return false end

-- Of the first draft with a dedup id, or nothing.
local function originalOf(dedup)
  local known = dedup ~= '' and redis.call('GET', base .. 'd:' .. dedup)
  return known and string.sub(known, 1, #topic + 1) == topic .. ' ' and string.sub(known, #topic + 2) or nil
end

local function answerOf(before, row, original)
  if not before then return original end
  local isSame = string.sub(before, 1, 18) == string.sub(row, 1, 18) and string.sub(before, 27) == string.sub(row, 27)
  return isSame and '1' or original or '0'
end

local answers, at = {}, version()
for arg = 3, #ARGV, 8 do
  local id, row, due, asks, parks, dedup = ARGV[arg], ARGV[arg + 1], ARGV[arg + 2], ARGV[arg + 3], ARGV[arg + 4], ARGV[arg + 5]
  local answer = answerOf(redis.call('HGET', base .. 'h', id), row, originalOf(dedup))
  if not answer then
    putMessage(id, row, at, due, asks, parks)
    listMessage(id, stateOf(row), at)
    if dedup ~= '' then redis.call('SET', base .. 'd:' .. dedup, topic .. ' ' .. ARGV[arg + 7], 'PX', ARGV[arg + 6]) end
    if due ~= '' then stirDue(pub, asks == '' and base .. 'due' or askedFor(asks), due) end
    at = at + 1
  end
  answers[#answers + 1] = answer or '1'
end
redis.call('HSET', part, 'seq', string.format('%.0f', at))
stir(pub, 'held')
return answers
`,
}

/** Which of the ids are held in a partition: a character for each, 1 for those that are. */
export const isHeld: Script = {
  name: 'isHeld',
  lua: `${ground}
local answers = {}
for at, id in ipairs(ARGV) do answers[at] = redis.call('HEXISTS', base .. 'h', id) end
return table.concat(answers)
`,
}
