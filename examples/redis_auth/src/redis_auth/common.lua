-- What both libraries begin with. An operation is a function of `operations`; its arguments are
-- texts, and it answers with a table whose first part is 'ok', or refuses before it has written.
local call = redis.call
local operations = {}

local function key(...)
  return KEYS[1] .. table.concat({...}, ':')
end

local function refuse(...)
  error({refused = {...}})
end

-- The names and values of all fields; refuses where there is no such record.
local function record(name, kind, id)
  local fields = call('HGETALL', name)
  if #fields == 0 then refuse('not_found', kind, id) end
  return fields
end

-- Whether each field has the JSON that is wanted, or none is wanted of it.
local function matches(name, wanted)
  for field, value in pairs(wanted) do
    if value ~= '' and call('HGET', name, field) ~= value then return false end
  end
  return true
end

-- At most `limit` records of an index, which `read` gives, or nil for what is left out; then
-- whether more follow. `command` is ZRANGEBYLEX or ZREVRANGEBYLEX.
local function page(command, index, from, to, limit, read)
  local found, chunk = {}, tonumber(limit) + 1
  repeat
    local members = call(command, index, from, to, 'LIMIT', 0, chunk)
    for _, member in ipairs(members) do
      local item = read(member)
      if item and #found == tonumber(limit) then return {'ok', found, 1} end
      if item then found[#found + 1] = item end
    end
    from = '(' .. (members[#members] or '')
    local ended = #members < chunk
    chunk = 500
  until ended
  return {'ok', found, 0}
end
