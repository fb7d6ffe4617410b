-- What both libraries end with: the operation that was asked for.
local done, answer = pcall(operations[ARGV[1]], unpack(ARGV, 2))
if done then return answer end
if type(answer) ~= 'table' then return redis.error_reply(answer) end
return answer.refused or answer
