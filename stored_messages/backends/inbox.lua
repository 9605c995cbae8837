-- One user's inbox, changed and read atomically. All keys of a user share a hash tag, and so a slot on Cluster.
--
-- KEYS  1 records      hash: message id -> position:stamp:date:read_at:dismissed:broadcast
--       2 unread       sorted set, all scores 0: position:id, so that order is that of positions (62 bits; a score has 53)
--       3 unread_dates sorted set: id by date, what expires from the inbox
--       4 kept         sorted set, all scores 0: position:id of all that is not dismissed
--       5 dates        sorted set: id by date, what expires for good
--       6 digest       sum of the stamps of what is unread
--       7 broadcasts   set: ids of broadcasts of which this user has a record
-- ARGV  1 operation, 2 inbox cutoff, 3 archive cutoff (dates in microseconds, or -inf), 4... arguments
local RECORDS, UNREAD, UNREAD_DATES, KEPT, DATES, DIGEST, BROADCASTS = unpack(KEYS)
local operation, inbox_cutoff, archive_cutoff = ARGV[1], ARGV[2], ARGV[3]

local function load(id)
  local text = redis.call('HGET', RECORDS, id)
  if not text then return nil end
  local position, stamp, date, read, dismissed, broadcast =
    text:match('^(%x+):(%d+):(-?%d+):(%d*):(%d):(%d)$')
  return {id = id, position = position, stamp = stamp, date = date, read = read, dismissed = dismissed,
          broadcast = broadcast}
end

local function text_of(r)
  return table.concat({r.position, r.stamp, r.date, r.read, r.dismissed, r.broadcast}, ':')
end

local function member(r) return r.position .. ':' .. r.id end

local function leave_inbox(r)
  if redis.call('ZREM', UNREAD, member(r)) == 1 then
    redis.call('ZREM', UNREAD_DATES, r.id)
    redis.call('DECRBY', DIGEST, r.stamp)
    return true
  end
  return false
end

local function expired(r)
  return inbox_cutoff ~= '-inf' and tonumber(r.date) <= tonumber(inbox_cutoff)
end

-- Put a record where its state says, after it left its old places.
local function save(r)
  redis.call('HSET', RECORDS, r.id, text_of(r))
  redis.call('ZADD', DATES, r.date, r.id)
  if r.broadcast == '1' then redis.call('SADD', BROADCASTS, r.id) end
  if r.dismissed == '1' then
    redis.call('ZREM', KEPT, member(r))
  else
    redis.call('ZADD', KEPT, 0, member(r))
  end
  if r.read == '' and not expired(r) then
    redis.call('ZADD', UNREAD, 0, member(r))
    redis.call('ZADD', UNREAD_DATES, r.date, r.id)
    redis.call('INCRBY', DIGEST, r.stamp)
  end
end

local function forget(id)
  local r = load(id)
  if r then
    leave_inbox(r)
    redis.call('ZREM', KEPT, member(r))
    redis.call('HDEL', RECORDS, id)
  end
  redis.call('ZREM', DATES, id)
  redis.call('SREM', BROADCASTS, id)
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', UNREAD_DATES, '-inf', inbox_cutoff)) do
  leave_inbox(load(id))
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', DATES, '-inf', archive_cutoff)) do
  forget(id)
end

local function summary()
  return {redis.call('ZCARD', UNREAD), redis.call('GET', DIGEST) or '0', redis.call('SMEMBERS', BROADCASTS)}
end

local function is_unread(r) return redis.call('ZSCORE', UNREAD, member(r)) ~= false end

-- position:stamp of what a change concerned, so that clients can be told.
local function ref(r) return r.id .. ':' .. r.stamp .. ':' .. r.position end

-- Arguments: position, stamp, date of a broadcast without a record here, or nothing; returns the record.
local function load_or_make(id, position, stamp, date)
  local r = load(id)
  if r or position == '' then return r end
  return {id = id, position = position, stamp = stamp, date = date, read = '', dismissed = '0', broadcast = '1'}
end

if operation == 'deliver' then
  -- id, position, stamp, date, read_at of each: of the last, 2 if it is new to the archive, 1 if only to the inbox
  local arrived
  for i = 4, #ARGV, 5 do
    local id, read = ARGV[i], ARGV[i + 4]
    local r = load(id)
    arrived = 0
    if not r then
      save({id = id, position = ARGV[i + 1], stamp = ARGV[i + 2], date = ARGV[i + 3], read = read, dismissed = '0',
            broadcast = '0'})
      arrived = 2
    elseif r.dismissed == '1' or (r.read ~= '' and read == '') then
      arrived = r.dismissed == '1' and 2 or 1
      redis.call('ZREM', KEPT, member(r))
      r.position, r.stamp, r.read, r.dismissed = ARGV[i + 1], ARGV[i + 2], read, '0'
      save(r)
    end
  end
  return arrived

elseif operation == 'import' then
  -- '1' to count only, then id, position, stamp, date, read_at of each: how many were not here yet
  local missing = 0
  for i = 5, #ARGV, 5 do
    if redis.call('HEXISTS', RECORDS, ARGV[i]) == 0 then
      missing = missing + 1
      if ARGV[4] == '0' then
        save({id = ARGV[i], position = ARGV[i + 1], stamp = ARGV[i + 2], date = ARGV[i + 3], read = ARGV[i + 4],
              dismissed = '0', broadcast = '0'})
      end
    end
  end
  return missing

elseif operation == 'summary' then
  return summary()

elseif operation == 'rows' then
  -- 'unread' or 'kept', upper bound, limit (-1: all): the summary, then id and record of each row, newest first
  local source = ARGV[4] == 'unread' and UNREAD or KEPT
  local top = ARGV[5] == '' and '+' or '(' .. ARGV[5]
  local rows = summary()
  for _, m in ipairs(redis.call('ZREVRANGEBYLEX', source, top, '-', 'LIMIT', 0, ARGV[6])) do
    local id = m:sub(18)
    rows[#rows + 1] = id
    rows[#rows + 1] = redis.call('HGET', RECORDS, id)
  end
  return rows

elseif operation == 'find' then
  local r = load(ARGV[4])
  if not r then return false end
  return text_of(r)

elseif operation == 'read' then
  -- now, then id, position, stamp, date of each
  local refs = {}
  for i = 5, #ARGV, 4 do
    local known = load(ARGV[i])
    local r = load_or_make(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
    if r and (not known or is_unread(r)) then
      leave_inbox(r)
      r.read = ARGV[4]
      save(r)
      refs[#refs + 1] = ref(r)
    end
  end
  return refs

elseif operation == 'read_below' then
  -- now, upper bound: the highest position that was concerned
  local top = ARGV[5] == '' and '+' or '(' .. ARGV[5]
  local found = redis.call('ZREVRANGEBYLEX', UNREAD, top, '-')
  for _, m in ipairs(found) do
    local r = load(m:sub(18))
    leave_inbox(r)
    r.read = ARGV[4]
    save(r)
  end
  return found[1] and found[1]:sub(1, 16) or false

elseif operation == 'unread' then
  -- ids
  local refs = {}
  for i = 4, #ARGV do
    local r = load(ARGV[i])
    -- What left the inbox by its age alone is not marked read; when nothing expires any more, it may come back.
    if r and not is_unread(r) and r.dismissed == '0' and not expired(r) then
      r.read = ''
      save(r)
      refs[#refs + 1] = ref(r)
    end
  end
  return refs

elseif operation == 'dismiss' then
  -- now, then id, position, stamp, date of each
  local refs = {}
  for i = 5, #ARGV, 4 do
    local r = load_or_make(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
    if r and r.dismissed == '0' then
      leave_inbox(r)
      r.dismissed = '1'
      if r.read == '' then r.read = ARGV[4] end
      save(r)
      refs[#refs + 1] = ref(r)
    end
  end
  return refs

elseif operation == 'forget' then
  -- ids whose content is gone
  for i = 4, #ARGV do forget(ARGV[i]) end
  return #ARGV - 3

elseif operation == 'count_expired' then
  -- inbox cutoff, archive cutoff: how many messages would be forgotten, and how many would only leave the inbox
  local kept_from = ARGV[5] == '-inf' and '-inf' or '(' .. ARGV[5]
  return {redis.call('ZCOUNT', DATES, '-inf', ARGV[5]), redis.call('ZCOUNT', UNREAD_DATES, kept_from, ARGV[4])}

elseif operation == 'expire' then
  -- inbox cutoff, archive cutoff, limit: how many were forgotten, and how many left the inbox
  local gone = redis.call('ZRANGEBYSCORE', DATES, '-inf', ARGV[5], 'LIMIT', 0, ARGV[6])
  for _, id in ipairs(gone) do forget(id) end
  local kept_from = ARGV[5] == '-inf' and '-inf' or '(' .. ARGV[5]
  local left = redis.call('ZRANGEBYSCORE', UNREAD_DATES, kept_from, ARGV[4], 'LIMIT', 0, ARGV[6])
  for _, id in ipairs(left) do leave_inbox(load(id)) end
  return {#gone, #left}

elseif operation == 'forget_owner' then
  -- position, '1' to count only: how many records went, none if something arrived at or above that position
  local newest = redis.call('ZREVRANGE', KEPT, 0, 0)[1]
  if newest and newest:sub(1, 16) >= ARGV[4] then return 0 end
  local records = redis.call('HLEN', RECORDS)
  if ARGV[5] == '0' then redis.call('UNLINK', unpack(KEYS)) end
  return records
end

return redis.error_reply('unknown operation ' .. operation)
