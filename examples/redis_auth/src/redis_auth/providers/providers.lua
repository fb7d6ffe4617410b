-- The operations of `ProviderStorage`. Records are hashes of JSON; every index is a sorted set whose
-- members are in the order of their bytes, but `changes`, which is by revision. Keys:
--   provider:ID          fields            providers  PRIORITY (7 digits) ID
--   revision             the last one      changes    ID, also of what was deleted
--   secret:PROVIDER\0NAME                  secrets    PROVIDER\0NAME
--   lease:ID             fields            leases:MINUTE PROVIDER  a set of IDs
--   used:MINUTE PROVIDER requests, tokens  usage      MINUTE PROVIDER
--   outcome:ID           json, provider, row          outcomes    TIME ID
--   outcomes_of:PROVIDER TIME|ok|bucket|tokens|units|nanos|ID
--   cooling              ID -> until       cooled     ID

local function provider_of(id)
  local name = key('provider', id)
  if call('EXISTS', name) == 0 then refuse('not_found', 'provider', id) end
  return name
end

local function was_there(id)
  return call('ZSCORE', key('changes'), id)
end

local function changed(id)
  call('ZADD', key('changes'), call('INCR', key('revision')), id)
end

local function place(id)
  return string.format('%07d', call('HGET', key('provider', id), 'priority')) .. id
end

local function store(id, ...)
  call('HSET', key('provider', id), ...)
  call('ZADD', key('providers'), 0, place(id))
  changed(id)
end

function operations.get_by_id(id)
  return {'ok', record(key('provider', id), 'provider', id)}
end

function operations.create(id, ...)
  if was_there(id) then refuse('duplicate', 'id') end
  store(id, ...)
  return {'ok'}
end

function operations.update(id, expected, ...)
  local name = provider_of(id)
  if call('HGET', name, 'version') ~= expected then
    refuse('conflict', 'provider', id, expected)
  end
  call('ZREM', key('providers'), place(id))
  store(id, ...)
  return {'ok'}
end

function operations.delete(id)
  local name = provider_of(id)
  call('ZREM', key('providers'), place(id))
  call('DEL', name)
  call('HDEL', key('cooling'), id)
  call('ZREM', key('cooled'), id)
  local secrets = key('secrets')
  for _, each in ipairs(call('ZRANGEBYLEX', secrets, '[' .. id .. '\0', '(' .. id .. '\1')) do
    call('DEL', key('secret', each))
    call('ZREM', secrets, each)
  end
  changed(id)
  return {'ok'}
end

local function has_model(name, model)
  for _, each in ipairs(cjson.decode(call('HGET', name, 'models'))) do
    if each == model then return true end
  end
  return false
end

function operations.list_providers(from, limit, kind, enabled, model)
  local wanted = {kind = kind, enabled = enabled}
  return page('ZRANGEBYLEX', key('providers'), from, '+', limit, function(member)
    local name = key('provider', string.sub(member, 8))
    if matches(name, wanted) and (model == '' or has_model(name, model)) then
      return call('HGETALL', name)
    end
  end)
end

function operations.changes_since(revision, limit)
  local found = call(
    'ZRANGEBYSCORE', key('changes'), '(' .. revision, '+inf', 'WITHSCORES', 'LIMIT', 0, limit
  )
  local changes = {}
  for at = 1, #found, 2 do
    changes[#changes + 1] = {found[at], found[at + 1], call('HGETALL', key('provider', found[at]))}
  end
  return {'ok', changes}
end

function operations.put_secret(provider, name, ...)
  provider_of(provider)
  local member = provider .. '\0' .. name
  call('HSET', key('secret', member), ...)
  call('ZADD', key('secrets'), 0, member)
  return {'ok'}
end

function operations.get_secret(provider, name)
  return {'ok', record(key('secret', provider .. '\0' .. name), 'secret', name)}
end

function operations.list_secrets(from, to, limit, other_than)
  return page('ZRANGEBYLEX', key('secrets'), from, to, limit, function(member)
    local secret = key('secret', member)
    if call('HGET', secret, 'key') ~= other_than then return call('HGETALL', secret) end
  end)
end

function operations.rotate_secret(provider, name, old, new, ...)
  local secret = key('secret', provider .. '\0' .. name)
  local stored = call('HGET', secret, 'ciphertext')
  if not stored then refuse('not_found', 'secret', name) end
  if stored ~= old and stored ~= new then return {'ok', 0} end
  call('HSET', secret, ...)
  return {'ok', 1}
end

local function check_room(provider, minute, tokens)
  local limits = call('HMGET', provider_of(provider), 'rpm', 'tpm')
  local rpm, tpm = tonumber(limits[1]), tonumber(limits[2])
  local used = call('HMGET', key('used', minute .. provider), 'requests', 'tokens')
  if tpm and tokens > tpm then refuse('limited', provider, 'tpm', '') end
  if rpm and tonumber(used[1] or 0) >= rpm then refuse('limited', provider, 'rpm', minute) end
  if tpm and tonumber(used[2] or 0) + tokens > tpm then
    refuse('limited', provider, 'tpm', minute)
  end
end

function operations.acquire(lease, provider, minute, provider_json, tokens, ...)
  local name = key('lease', lease)
  if call('EXISTS', name) == 1 then
    if not matches(name, {provider = provider_json, tokens = tokens}) then
      refuse('duplicate', 'lease')
    end
    return {'ok', call('HGETALL', name)}
  end
  check_room(provider, minute, tonumber(tokens))
  call('HSET', name, ...)
  call('SADD', key('leases', minute .. provider), lease)
  call('HINCRBY', key('used', minute .. provider), 'requests', 1)
  call('HINCRBY', key('used', minute .. provider), 'tokens', tokens)
  call('ZADD', key('usage'), 0, minute .. provider)
  return {'ok', call('HGETALL', name)}
end

function operations.list_usage(from, to, limit)
  return page('ZRANGEBYLEX', key('usage'), from, to, limit, function(member)
    local used = call('HMGET', key('used', member), 'requests', 'tokens')
    return {member, used[1], used[2]}
  end)
end

function operations.purge_usage(to, limit)
  local ended = call('ZRANGEBYLEX', key('usage'), '-', to, 'LIMIT', 0, limit)
  for _, member in ipairs(ended) do
    for _, lease in ipairs(call('SMEMBERS', key('leases', member))) do
      call('DEL', key('lease', lease))
    end
    call('DEL', key('leases', member), key('used', member))
    call('ZREM', key('usage'), member)
  end
  return {'ok', #ended}
end

function operations.record_outcome(id, provider, at, json, row)
  local name = key('outcome', id)
  local stored = call('HGET', name, 'json')
  if stored and stored ~= json then refuse('duplicate', 'id') end
  if stored then return {'ok'} end
  if not was_there(provider) then refuse('not_found', 'provider', provider) end
  call('HSET', name, 'json', json, 'provider', provider, 'row', row)
  call('ZADD', key('outcomes'), 0, at .. id)
  call('ZADD', key('outcomes_of', provider), 0, row)
  return {'ok'}
end

-- Sums of tokens and of whole units stay exact below 2^53.
function operations.stats(provider, from, to)
  local tallies, found = {}, {}
  for _, row in ipairs(call('ZRANGEBYLEX', key('outcomes_of', provider), from, to)) do
    local group, tokens, units, nanos = string.match(row, '^|(%d|%d+)|(%d+)|(%d+)|(%d+)|', 33)
    local tally = tallies[group]
    if not tally then
      tally = {group, 0, 0, 0, 0}
      tallies[group] = tally
      found[#found + 1] = tally
    end
    tally[2] = tally[2] + 1
    tally[3] = tally[3] + tokens
    tally[4] = tally[4] + units
    tally[5] = tally[5] + nanos
  end
  return {'ok', found}
end

function operations.purge_outcomes(to, limit)
  local old = call('ZRANGEBYLEX', key('outcomes'), '-', to, 'LIMIT', 0, limit)
  for _, member in ipairs(old) do
    local name = key('outcome', string.sub(member, 33))
    local stored = call('HMGET', name, 'provider', 'row')
    call('ZREM', key('outcomes_of', stored[1]), stored[2])
    call('DEL', name)
    call('ZREM', key('outcomes'), member)
  end
  return {'ok', #old}
end

function operations.cool_down(id, till)
  provider_of(id)
  local said = call('HGET', key('cooling'), id)
  if said and said > till then return {'ok', said} end
  call('HSET', key('cooling'), id, till)
  call('ZADD', key('cooled'), 0, id)
  return {'ok', till}
end

function operations.end_cooling(id, at)
  provider_of(id)
  local said = call('HGET', key('cooling'), id)
  if not said or said <= at then return {'ok', said} end
  call('HSET', key('cooling'), id, at)
  return {'ok', at}
end

function operations.list_cooling(now, from, limit)
  return page('ZRANGEBYLEX', key('cooled'), from, '+', limit, function(id)
    local till = call('HGET', key('cooling'), id)
    if till > now then return {id, till} end
  end)
end
