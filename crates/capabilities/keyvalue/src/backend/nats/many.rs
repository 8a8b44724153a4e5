//! Many values with one request, which servers from 2.11 on answer. Others are asked for each.

use super::bucket::{Bucket, away, failed, gone, late};
use crate::api::{self, Error, Key};
use crate::backend::names::nats_name;
use async_nats::header::{NATS_MARKER_REASON, NATS_SUBJECT};
use async_nats::{Message, StatusCode};
use bytes::Bytes;
use futures_util::StreamExt;
use std::collections::{BTreeSet, HashMap};
use wharf_kit::Trouble;

/// The first release that knows such requests.
const SINCE: (i64, i64, i64) = (2, 11, 0);

/// What ends the answers.
const END: u16 = 204;

/// Bytes of a request beside the names: enough for what is around them.
const FRAME_BYTES: usize = 256;

impl Bucket {
    /// Tells whether [`find_many`](Self::find_many) is answered.
    pub(super) fn has_find_many(&self) -> bool {
        self.store.stream.cached_info().config.allow_direct
            && self.connection.client.is_server_compatible(SINCE.0, SINCE.1, SINCE.2)
    }

    /// Returns the values of many keys, in their order. One request, unless keys or values are so many that the server wants more.
    pub(super) async fn find_many(
        &self,
        keys: &[Key],
        limit_bytes: usize,
    ) -> Result<Vec<Option<Bytes>>, Trouble<Error>> {
        let names: Vec<String> = keys.iter().map(|key| format!("{}{}", self.store.prefix, nats_name(key))).collect();
        let mut found = Found { values: HashMap::with_capacity(names.len()), bytes: 0, limit_bytes };
        let unique: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let mut wanted: Vec<&str> = unique.into_iter().collect();
        while !wanted.is_empty() {
            let rest = wanted.split_off(self.fitting(&wanted));
            let before = found.values.len();
            let is_complete = self.ask(&wanted, &mut found).await?;
            if is_complete {
                wanted.clear();
            } else if found.values.len() == before {
                return Err(failed("the server answers a part of what was asked, which is nothing".into()));
            }
            wanted.retain(|name| !found.values.contains_key(*name));
            wanted.extend(rest);
        }
        Ok(names.iter().map(|name| found.values.get(name.as_str()).cloned().flatten()).collect())
    }

    /// Returns how many of the names fit into one request.
    fn fitting(&self, names: &[&str]) -> usize {
        let limit_bytes = self.connection.client.max_payload().saturating_sub(FRAME_BYTES);
        let mut bytes = 0;
        let fits = |name: &&&str| {
            bytes += name.len() + "\"\",".len();
            bytes <= limit_bytes
        };
        names.iter().take_while(fits).count().max(1)
    }

    /// Asks for values, and tells whether these were all that there are.
    async fn ask(&self, names: &[&str], found: &mut Found) -> Result<bool, Trouble<Error>> {
        let client = &self.connection.client;
        let inbox = client.new_inbox();
        let mut answers = client.subscribe(inbox.clone()).await.map_err(|error| away(LOST, Some(error.into())))?;
        // Names are plain words, which need no escapes.
        let request =
            format!(r#"{{"multi_last":["{}"],"max_bytes":{}}}"#, names.join("\",\""), found.limit_bytes.max(1));
        let subject = format!("$JS.API.DIRECT.GET.{}", self.store.stream_name);
        let sent = client.publish_with_reply(subject, inbox, request.into()).await;
        sent.map_err(|error| away(LOST, Some(error.into())))?;
        loop {
            let answer = tokio::time::timeout(self.connection.response_timeout, answers.next()).await;
            let answer = answer.map_err(|error| late(error.into()))?.ok_or_else(|| away(LOST, None))?;
            match answer.status {
                None => found.take(answer)?,
                Some(status) if status.as_u16() == END => return Ok(pending(&answer) == 0),
                Some(StatusCode::NOT_FOUND) => return Ok(true),
                Some(StatusCode::NO_RESPONDERS) => return Err(gone(None)),
                Some(status) => return Err(failed(format!("a batch is answered by {status}").into())),
            }
        }
    }
}

const LOST: &str = "the connection to the server is lost";

/// Returns how many of the asked values are still to be told.
fn pending(end: &Message) -> u64 {
    let headers = end.headers.as_ref();
    headers.and_then(|headers| headers.get("Nats-Num-Pending")?.as_str().parse().ok()).unwrap_or(0)
}

/// The answers, by what keys are called; what was deleted is there and has no value.
struct Found {
    values: HashMap<String, Option<Bytes>>,
    bytes: usize,
    limit_bytes: usize,
}

impl Found {
    fn take(&mut self, answer: Message) -> Result<(), Trouble<Error>> {
        let headers = answer.headers.unwrap_or_default();
        let Some(name) = headers.get(NATS_SUBJECT) else {
            return Err(failed("an answer does not say which key it is of".into()));
        };
        let is_put = headers.get("KV-Operation").is_none_or(|operation| operation.as_str() == "PUT")
            && headers.get(NATS_MARKER_REASON).is_none();
        if is_put {
            self.bytes += answer.payload.len();
            api::check_bytes(self.bytes, self.limit_bytes)?;
        }
        self.values.insert(name.as_str().to_owned(), is_put.then_some(answer.payload));
        Ok(())
    }
}
