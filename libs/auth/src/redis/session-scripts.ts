/**
 * Sessions in Redis, as Lua scripts: each is one step, whoever else is at it.
 *
 * `session:<hash>` is a hash with what is kept of a session. `user-sessions:<user id>` is a sorted set of the hashes of
 * the user's sessions, each scored by its end. A session is one only while it stands in its user's set and its end is
 * to come: so all of them end by the deletion of one key, and whatever else is left of one lets nobody in.
 *
 * Time is the gateways' and comes as an argument; the expiry of keys is housekeeping. The second key is derived from
 * the first one's content, which a Redis Cluster does not allow.
 */

/** What of `session:<hash>` makes up a session, in this order; tokens are read apart. */
export const SESSION_FIELDS = [
  'userId',
  'kind',
  'subject',
  'createdAt',
  'lastSeenAt',
  'ip',
  'userAgent',
] as const;

const FIELDS = SESSION_FIELDS.map((field) => `'${field}'`).join(', ');

/** The set must outlive every session in it: else one could not be found to be ended. */
const COMMON = `
local function index_of(user)
  return 'user-sessions:' .. user
end

local function trim(index, now)
  redis.call('ZREMRANGEBYSCORE', index, '-inf', now)
  local last = redis.call('ZREVRANGE', index, 0, 0, 'WITHSCORES')
  if last[2] then redis.call('PEXPIRE', index, last[2] - now) end
end

local function live(hash, now)
  local user = redis.call('HGET', 'session:' .. hash, 'userId')
  if not user then return nil end
  local ends = redis.call('ZSCORE', index_of(user), hash)
  if not ends or tonumber(ends) <= tonumber(now) then return nil end
  return user, ends
end
`;

/** now, end, hash, user id, then fields and their values. */
export const CREATE = `${COMMON}
local now, ends, hash, user = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
redis.call('HSET', 'session:' .. hash, 'userId', user, unpack(ARGV, 5))
redis.call('PEXPIRE', 'session:' .. hash, ends - now)
redis.call('ZADD', index_of(user), ends, hash)
trim(index_of(user), now)
`;

/** now, hash → its end and {@link SESSION_FIELDS}, or nothing. */
export const FIND = `${COMMON}
local user, ends = live(ARGV[2], ARGV[1])
if not user then return nil end
return {ends, redis.call('HMGET', 'session:' .. ARGV[2], ${FIELDS})}
`;

/** now, hash, the time since which it must not have been touched, term of a password's session, term of OIDC's → 0 or 1. */
export const TOUCH = `${COMMON}
local now, hash, since = ARGV[1], ARGV[2], ARGV[3]
local user = live(hash, now)
if not user then return 0 end
local key = 'session:' .. hash
local seen = redis.call('HMGET', key, 'lastSeenAt', 'kind')
if tonumber(seen[1]) <= tonumber(since) then
  local term = seen[2] == 'oidc' and ARGV[5] or ARGV[4]
  redis.call('HSET', key, 'lastSeenAt', now)
  redis.call('PEXPIRE', key, term)
  redis.call('ZADD', index_of(user), now + term, hash)
  trim(index_of(user), now)
end
return 1
`;

/** now, user id → hash, end and {@link SESSION_FIELDS} of each. */
export const LIST = `${COMMON}
local now, user = ARGV[1], ARGV[2]
local index = index_of(user)
trim(index, now)
local members = redis.call('ZRANGE', index, 0, -1, 'WITHSCORES')
local sessions = {}
for i = 1, #members, 2 do
  local fields = redis.call('HMGET', 'session:' .. members[i], ${FIELDS})
  if fields[1] then sessions[#sessions + 1] = {members[i], members[i + 1], fields}
  else redis.call('ZREM', index, members[i]) end
end
return sessions
`;

/** now, hash → sealed tokens, or nothing. */
export const TOKENS_OF = `${COMMON}
if not live(ARGV[2], ARGV[1]) then return nil end
return redis.call('HGET', 'session:' .. ARGV[2], 'tokens')
`;

/** now, hash, sealed tokens → 0 or 1. */
export const REPLACE_TOKENS = `${COMMON}
if not live(ARGV[2], ARGV[1]) then return 0 end
redis.call('HSET', 'session:' .. ARGV[2], 'tokens', ARGV[3])
return 1
`;

/** hash → user id, or nothing. The session is none any more; whose it was can still be asked. */
export const END = `${COMMON}
local user = redis.call('HGET', 'session:' .. ARGV[1], 'userId')
if user then redis.call('ZREM', index_of(user), ARGV[1]) end
return user
`;

/** user id, and the hash of the session that goes on, if any. */
export const END_ALL = `${COMMON}
local user, except = ARGV[1], ARGV[2]
local index = index_of(user)
for _, hash in ipairs(redis.call('ZRANGE', index, 0, -1)) do
  if hash ~= except then
    redis.call('UNLINK', 'session:' .. hash)
    redis.call('ZREM', index, hash)
  end
end
`;
