/**
 * Lua: `beat(beats, member, leaseMs, most)`: a member lives for its lease from now on; `most` is how long ago it asked for its last beat that was
 * answered, nil for one that joins. Gives the time, or false when the member counts as dead already.
 *
 * Ends of leases are times of the server's clock. Where more time passed by it than the member has seen pass, the clock was set forward or the server
 * stood still, and nobody could beat: all leases end so much later. Ends that are further ahead than a lease lasts are left from before the clock was set back.
 */
export const beats = `
local function beat(beats, member, leaseMs, most)
  local time = redis.call('TIME')
  local wall = time[1] * 1000 + math.floor(time[2] / 1000)
  local function set(ends, each) redis.call('ZADD', beats, string.format('%.0f', ends), each) end
  local ends = tonumber(redis.call('ZSCORE', beats, member) or nil)
  -- First what needs no memory: with it a server that is full lets the others pass.
  redis.call('ZREMRANGEBYSCORE', beats, '-inf', string.format('%.0f', wall - 86400000))
  local missed = ends and most and wall - (ends - leaseMs) - most or 0
  if missed > 1000 then
    local all = redis.call('ZRANGE', beats, 0, -1, 'WITHSCORES')
    for at = 1, #all, 2 do set(all[at + 1] + missed, all[at]) end
    ends = ends + missed
  end
  if most and ends and ends <= wall then return false end
  local longest = math.max(60000, leaseMs)
  for _, each in ipairs(redis.call('ZRANGEBYSCORE', beats, string.format('(%.0f', wall + longest * 3), '+inf')) do set(wall + longest, each) end
  set(wall + leaseMs, member)
  return wall
end
`
