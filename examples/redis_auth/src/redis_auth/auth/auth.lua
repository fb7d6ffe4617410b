-- The operations of `AuthStorage`. Records are hashes of JSON; every index is a sorted set whose
-- members are in the order of their bytes. `KIND` is session or api_key. Keys:
--   user:ID        fields           users          ID
--   emails         KEY -> ID        email_keys     ID -> KEY
--   role:NAME      fields           roles          NAME
--   children       PARENT\0NAME
--   grants         USER\0ROLE\0SCOPE               grants_by_role  ROLE\0USER\0SCOPE
--   KIND:ID        fields           KIND:all       ID
--   KIND:of:USER   ID               KIND:digests   DIGEST -> ID, present ones
--   KIND:previous:DIGEST  ID
--   audit:ID       fields           audit          TIME ID

local function user_of(id)
  local name = key('user', id)
  if call('EXISTS', name) == 0 then refuse('not_found', 'user', id) end
  return name
end

local function role_of(role)
  local name = key('role', role)
  if call('EXISTS', name) == 0 then refuse('not_found', 'role', role) end
  return name
end

local function below(index, start)
  return call('ZRANGEBYLEX', key(index), '[' .. start .. '\0', '(' .. start .. '\1')
end

local function has_below(index, start)
  local from, to = '[' .. start .. '\0', '(' .. start .. '\1'
  return #call('ZRANGEBYLEX', key(index), from, to, 'LIMIT', 0, 1) > 0
end

local function parts(member)
  return string.match(member, '^(.-)%z(.-)%z(.*)$')
end

local function is_enabled(id)
  return call('HGET', key('user', id), 'enabled') == 'true'
end

-- Whether an enabled user other than this one has the role in the global scope.
local function has_other_holder(role, id)
  local from, to, members = '[' .. role .. '\0', '(' .. role .. '\1', nil
  repeat
    members = call('ZRANGEBYLEX', key('grants_by_role'), from, to, 'LIMIT', 0, 500)
    for _, member in ipairs(members) do
      local _, user, scope = parts(member)
      if scope == '' and user ~= id and is_enabled(user) then return true end
    end
    from = '(' .. (members[#members] or '')
  until #members < 500
  return false
end

local function keep_holder(role, id)
  local essential = call('HGET', key('role', role), 'essential') == 'true'
  if essential and is_enabled(id) and not has_other_holder(role, id) then
    refuse('in_use', 'role', role, 'last holder')
  end
end

local function keep_holders(id)
  for _, member in ipairs(below('grants', id)) do
    local _, role, scope = parts(member)
    if scope == '' then keep_holder(role, id) end
  end
end

local function check_email(id, email_key)
  local owner = call('HGET', key('emails'), email_key)
  if owner and owner ~= id then refuse('duplicate', 'email') end
end

local function free_email(id)
  call('HDEL', key('emails'), call('HGET', key('email_keys'), id))
end

local function claim_email(id, email_key)
  call('HSET', key('emails'), email_key, id)
  call('HSET', key('email_keys'), id, email_key)
end

function operations.get_by_id(id)
  return {'ok', record(key('user', id), 'user', id)}
end

function operations.create(id, email_key, ...)
  local name = key('user', id)
  if call('EXISTS', name) == 1 then refuse('duplicate', 'id') end
  check_email(id, email_key)
  call('HSET', name, ...)
  call('ZADD', key('users'), 0, id)
  claim_email(id, email_key)
  return {'ok'}
end

function operations.find_by_email(email_key, email)
  local id = call('HGET', key('emails'), email_key)
  if not id then refuse('not_found', 'user', email) end
  return {'ok', call('HGETALL', key('user', id))}
end

function operations.update(id, expected, email_key, disables, ...)
  local name = user_of(id)
  if call('HGET', name, 'version') ~= expected then refuse('conflict', 'user', id, expected) end
  if email_key ~= '' then check_email(id, email_key) end
  if disables == '1' then keep_holders(id) end
  if email_key ~= '' then
    free_email(id)
    claim_email(id, email_key)
  end
  if select('#', ...) > 0 then call('HSET', name, ...) end
  call('HINCRBY', name, 'version', 1)
  return {'ok', call('HGETALL', name)}
end

function operations.list_users(after, limit, enabled, role, email_part)
  local index, from, to, previous = key('users'), '(' .. after, '+', nil
  if role ~= '' then
    index, to = key('grants_by_role'), '(' .. role .. '\1'
    from = '[' .. role .. '\0' .. (after ~= '' and after .. '\1' or '')
  end
  return page('ZRANGEBYLEX', index, from, to, limit, function(member)
    local id = role == '' and member or select(2, parts(member))
    if id == previous then return nil end
    previous = id
    local name, email_key = key('user', id), call('HGET', key('email_keys'), id)
    if matches(name, {enabled = enabled}) and string.find(email_key, email_part, 1, true) then
      return call('HGETALL', name)
    end
  end)
end

function operations.replace_password_hash(id, old, new)
  local name = user_of(id)
  local stored = call('HGET', name, 'password_hash')
  if stored ~= old and stored ~= new then return {'ok', 0} end
  call('HSET', name, 'password_hash', new)
  return {'ok', 1}
end

-- Whether one whole number is at least another: as text, for numbers in Lua are floats.
local function at_least(number, other)
  return #number > #other or (#number == #other and number >= other)
end

function operations.record_attempt(id, ok, at, threshold, till)
  local name = user_of(id)
  local locked = call('HGET', name, 'locked_until')
  if locked ~= 'null' and locked > at then
    return {'ok', call('HGET', name, 'failures'), locked}
  end
  if ok == 'true' or locked ~= 'null' then call('HSET', name, 'failures', 0) end
  if ok ~= 'true' then call('HINCRBY', name, 'failures', 1) end
  local failures = call('HGET', name, 'failures')
  locked = ok ~= 'true' and at_least(failures, threshold) and till or 'null'
  call('HSET', name, 'locked_until', locked)
  return {'ok', failures, locked}
end

function operations.clear_attempts(id)
  call('HSET', user_of(id), 'failures', 0, 'locked_until', 'null')
  return {'ok'}
end

local function parents_of(role)
  return cjson.decode(call('HGET', key('role', role), 'parents') or '[]')
end

-- The names of roles, and of all their ancestors, as a set.
local function with_ancestors(names)
  local found = {}
  while #names > 0 do
    local name = table.remove(names)
    if not found[name] then
      found[name] = true
      for _, parent in ipairs(parents_of(name)) do names[#names + 1] = parent end
    end
  end
  return found
end

local function forget_parents(role)
  for _, parent in ipairs(parents_of(role)) do
    call('ZREM', key('children'), parent .. '\0' .. role)
  end
end

function operations.put_role(role, parents, ...)
  local named = cjson.decode(parents)
  for _, parent in ipairs(named) do role_of(parent) end
  if with_ancestors(cjson.decode(parents))[role] then
    refuse('invalid', 'parents', 'must not make a cycle')
  end
  forget_parents(role)
  for _, parent in ipairs(named) do call('ZADD', key('children'), 0, parent .. '\0' .. role) end
  call('HSET', key('role', role), ...)
  call('ZADD', key('roles'), 0, role)
  return {'ok'}
end

function operations.get_role(role)
  return {'ok', record(key('role', role), 'role', role)}
end

function operations.delete_role(role)
  local name = role_of(role)
  if has_below('grants_by_role', role) then refuse('in_use', 'role', role, 'grant') end
  if has_below('children', role) then refuse('in_use', 'role', role, 'role') end
  forget_parents(role)
  call('DEL', name)
  call('ZREM', key('roles'), role)
  return {'ok'}
end

function operations.list_roles(from, limit)
  return page('ZRANGEBYLEX', key('roles'), from, '+', limit, function(role)
    return call('HGETALL', key('role', role))
  end)
end

local function give(user, role, scope)
  call('ZADD', key('grants'), 0, table.concat({user, role, scope}, '\0'))
  call('ZADD', key('grants_by_role'), 0, table.concat({role, user, scope}, '\0'))
end

local function take(user, role, scope)
  call('ZREM', key('grants'), table.concat({user, role, scope}, '\0'))
  call('ZREM', key('grants_by_role'), table.concat({role, user, scope}, '\0'))
end

function operations.grant(user, role, scope)
  user_of(user)
  role_of(role)
  give(user, role, scope)
  return {'ok'}
end

function operations.revoke(user, role, scope)
  local member = table.concat({user, role, scope}, '\0')
  if not call('ZSCORE', key('grants'), member) then return {'ok'} end
  if scope == '' then keep_holder(role, user) end
  take(user, role, scope)
  return {'ok'}
end

-- `first` is what the index begins with: user or role. `wanted_scope` begins with '=', or is empty.
function operations.list_grants(first, from, to, limit, wanted_role, wanted_scope)
  local index = first == 'role' and 'grants_by_role' or 'grants'
  return page('ZRANGEBYLEX', key(index), from, to, limit, function(member)
    local user, role, scope = parts(member)
    if first == 'role' then user, role = role, user end
    if wanted_role ~= '' and role ~= wanted_role then return nil end
    if wanted_scope ~= '' and '=' .. scope ~= wanted_scope then return nil end
    return {user, role, scope}
  end)
end

function operations.permissions(user, ...)
  if not is_enabled(user) then return {'ok', {}} end
  local chain, granted, found = {}, {}, {}
  for _, scope in ipairs({...}) do chain[scope] = true end
  for _, member in ipairs(below('grants', user)) do
    local _, role, scope = parts(member)
    if chain[scope] then granted[#granted + 1] = role end
  end
  for role in pairs(with_ancestors(granted)) do
    found[#found + 1] = call('HGET', key('role', role), 'permissions')
  end
  return {'ok', found}
end

function operations.append_audit(id, at, ...)
  local name, given = key('audit', id), {...}
  for each = 1, #given, 2 do
    local stored = call('HGET', name, given[each])
    if stored and stored ~= given[each + 1] then refuse('duplicate', 'id') end
  end
  call('HSET', name, ...)
  call('ZADD', key('audit'), 0, at .. id)
  return {'ok'}
end

function operations.list_audit(from, to, limit, actor, action, subject)
  local wanted = {actor = actor, action = action, subject = subject}
  return page('ZREVRANGEBYLEX', key('audit'), from, to, limit, function(member)
    local name = key('audit', string.sub(member, 33))
    if matches(name, wanted) then return call('HGETALL', name) end
  end)
end
