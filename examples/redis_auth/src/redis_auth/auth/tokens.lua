-- What sessions and API keys have in common; `kind` is session or api_key.

local function plain(json)
  return json ~= 'null' and cjson.decode('[' .. json .. ']')[1] or nil
end

local function token_of(kind, user, id)
  local name = key(kind, id)
  if plain(call('HGET', name, 'user') or 'null') ~= user then refuse('not_found', kind, id) end
  return name
end

local function is_live(name, at)
  local found = call('HMGET', name, 'user', 'revoked_at', 'expires_at')
  return found[1] and is_enabled(plain(found[1])) and found[2] == 'null'
    and (found[3] == 'null' or at < found[3])
end

local function check_digest(kind, id, digest)
  local owner = call('HGET', key(kind, 'digests'), digest)
  if owner and owner ~= id then refuse('duplicate', 'digest') end
end

local function forget_previous(kind, id)
  local digest = plain(call('HGET', key(kind, id), 'previous_digest'))
  if digest then call('ZREM', key(kind, 'previous', digest), id) end
end

local function revoke(name, at)
  if call('HGET', name, 'revoked_at') ~= 'null' then return 0 end
  call('HSET', name, 'revoked_at', at)
  return 1
end

local function revoke_all(kind, user, except, at)
  local count = 0
  for _, id in ipairs(call('ZRANGEBYLEX', key(kind, 'of', user), '-', '+')) do
    if id ~= except then count = count + revoke(key(kind, id), at) end
  end
  return count
end

function operations.create_token(kind, id, user, digest, previous, revoked, ...)
  local name = key(kind, id)
  if revoked == 'null' then user_of(user) end
  if call('EXISTS', name) == 1 then refuse('duplicate', 'id') end
  check_digest(kind, id, digest)
  call('HSET', name, ...)
  call('HSET', key(kind, 'digests'), digest, id)
  if previous ~= '' then call('ZADD', key(kind, 'previous', previous), 0, id) end
  call('ZADD', key(kind, 'of', user), 0, id)
  call('ZADD', key(kind, 'all'), 0, id)
  return {'ok'}
end

function operations.find_token(kind, digest, at)
  local present = call('HGET', key(kind, 'digests'), digest)
  if present and is_live(key(kind, present), at) then
    return {'ok', call('HGETALL', key(kind, present))}
  end
  for _, id in ipairs(call('ZRANGEBYLEX', key(kind, 'previous', digest), '-', '+')) do
    local name = key(kind, id)
    if at < call('HGET', name, 'previous_until') and is_live(name, at) then
      return {'ok', call('HGETALL', name)}
    end
  end
  refuse('not_found', kind, digest)
end

function operations.list_tokens(kind, user, from, limit)
  return page('ZRANGEBYLEX', key(kind, 'of', user), from, '+', limit, function(id)
    return call('HGETALL', key(kind, id))
  end)
end

function operations.rotate_token(kind, user, id, new, new_json, at, till)
  local name = token_of(kind, user, id)
  if not is_live(name, at) then refuse('not_found', kind, id) end
  local present = call('HGET', name, 'digest')
  if present == new_json then return {'ok', call('HGETALL', name)} end
  check_digest(kind, id, new)
  forget_previous(kind, id)
  call('HDEL', key(kind, 'digests'), plain(present))
  call('HSET', key(kind, 'digests'), new, id)
  call('ZADD', key(kind, 'previous', plain(present)), 0, id)
  call('HSET', name, 'digest', new_json, 'previous_digest', present, 'previous_until', till)
  return {'ok', call('HGETALL', name)}
end

function operations.revoke_token(kind, user, id, at)
  local name = token_of(kind, user, id)
  revoke(name, at)
  return {'ok', call('HGETALL', name)}
end

function operations.revoke_tokens(kind, user, except, at)
  return {'ok', revoke_all(kind, user, except, at)}
end

local function has_ended(name, before)
  for _, ended in ipairs(call('HMGET', name, 'expires_at', 'revoked_at')) do
    if ended ~= 'null' and ended < before then return true end
  end
  return false
end

local function remove(kind, id)
  local name = key(kind, id)
  local found = call('HMGET', name, 'digest', 'user')
  forget_previous(kind, id)
  call('HDEL', key(kind, 'digests'), plain(found[1]))
  call('ZREM', key(kind, 'of', plain(found[2])), id)
  call('ZREM', key(kind, 'all'), id)
  call('DEL', name)
end

function operations.purge_tokens(kind, before, limit)
  local ended = page('ZRANGEBYLEX', key(kind, 'all'), '-', '+', limit, function(id)
    return has_ended(key(kind, id), before) and id or nil
  end)[2]
  for _, id in ipairs(ended) do remove(kind, id) end
  return {'ok', #ended}
end

function operations.delete(id, at)
  local name = user_of(id)
  keep_holders(id)
  for _, member in ipairs(below('grants', id)) do take(parts(member)) end
  revoke_all('session', id, '', at)
  revoke_all('api_key', id, '', at)
  free_email(id)
  call('HDEL', key('email_keys'), id)
  call('ZREM', key('users'), id)
  call('DEL', name)
  return {'ok'}
end
