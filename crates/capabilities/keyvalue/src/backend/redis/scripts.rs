//! What Redis has no command for: scripts that it runs in one step.

use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, FromRedisValue, RedisResult, Script, Value};

/// The server is told each once, and asked by their names from then on.
pub(super) struct Scripts {
    get_many: Script,
    snapshot: Script,
    swap: Script,
}

/// `MGET`, unless the values are larger than the host wants to hold; then their size.
const GET_MANY: &str = "\
local bytes = 0
for i = 1, #KEYS do bytes = bytes + redis.call('STRLEN', KEYS[i]) end
if bytes > tonumber(ARGV[1]) then return bytes end
return redis.call('MGET', unpack(KEYS))";

/// The value and what it is told by later.
const SNAPSHOT: &str = "\
local value = redis.call('GET', KEYS[1])
if not value then return false end
return {value, redis.sha1hex(value)}";

/// Sets a value in the place of another one, or of none.
const SWAP: &str = "\
local value = redis.call('GET', KEYS[1])
if (value and redis.sha1hex(value) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1";

impl Default for Scripts {
    fn default() -> Self {
        Self { get_many: Script::new(GET_MANY), snapshot: Script::new(SNAPSHOT), swap: Script::new(SWAP) }
    }
}

impl Scripts {
    /// Returns the values, or the bytes that they would be.
    pub(super) async fn get_many(
        &self,
        connection: &mut MultiplexedConnection,
        names: &[String],
        limit_bytes: usize,
    ) -> RedisResult<Result<Vec<Option<Bytes>>, usize>> {
        match self.get_many.key(names).arg(limit_bytes).invoke_async(connection).await? {
            Value::Int(bytes) => Ok(Err(usize::try_from(bytes).unwrap_or(usize::MAX))),
            values => Ok(Ok(FromRedisValue::from_redis_value(values)?)),
        }
    }

    pub(super) async fn snapshot(
        &self,
        connection: &mut MultiplexedConnection,
        name: &str,
    ) -> RedisResult<Option<(Bytes, [u8; 40])>> {
        let found: Option<(Bytes, Bytes)> = self.snapshot.key(name).invoke_async(connection).await?;
        let Some((value, digest)) = found else { return Ok(None) };
        let digest = <[u8; 40]>::try_from(&*digest).map_err(|_| (ErrorKind::UnexpectedReturnType, "no digest"))?;
        Ok(Some((value, digest)))
    }

    pub(super) async fn swap(
        &self,
        connection: &mut MultiplexedConnection,
        name: &str,
        digest: Option<[u8; 40]>,
        value: &[u8],
    ) -> RedisResult<bool> {
        let digest = digest.as_ref().map_or(&[][..], <[u8; 40]>::as_slice);
        self.swap.key(name).arg(digest).arg(value).invoke_async(connection).await
    }
}
