//! The calls. Each checks what it gets: a call that fails is no lap.

use crate::wasi::keyvalue::store;
use crate::wharf::sql::database::{self, Value};
use std::io::Read as _;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, OutgoingRequest, Scheme};

const KEY: &str = "lap";
const VALUE: [u8; 100] = [b'x'; 100];

type Done = Result<(), String>;

fn shown(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

pub fn get(label: &str, count: u64) -> Done {
    let bucket = store::open(label).map_err(shown)?;
    for _ in 0..count {
        if bucket.get(KEY).map_err(shown)?.is_none_or(|value| value.len() != VALUE.len()) {
            return Err("the value is not there: call /set first".to_owned());
        }
    }
    Ok(())
}

pub fn set(label: &str, count: u64) -> Done {
    let bucket = store::open(label).map_err(shown)?;
    (0..count).try_for_each(|_| bucket.set(KEY, &VALUE).map_err(shown))
}

/// Asks for one row by its key; makes the table first, if it is not there.
pub fn row(label: &str, count: u64) -> Done {
    let database = database::open(label).map_err(shown)?;
    const ROW: &str = "SELECT word FROM laps WHERE id = $1";
    if database.query(ROW, &[Value::Int64(7)]).is_err() {
        database.execute("CREATE TABLE laps (id BIGINT PRIMARY KEY, word TEXT)", &[]).map_err(shown)?;
        let insert = "INSERT INTO laps (id, word) VALUES ($1, $2)";
        for id in 0..1000 {
            let values = [Value::Int64(id), Value::Text(format!("word {id}"))];
            database.execute(insert, &values).map_err(shown)?;
        }
    }
    for id in 0..count {
        let rows = database.query(ROW, &[Value::Int64((id % 1000) as i64)]).map_err(shown)?;
        if rows.next(2).map_err(shown)?.len() != 1 {
            return Err("the row is not there".to_owned());
        }
    }
    Ok(())
}

pub fn http(scheme: &Scheme, port: u64, count: u64) -> Done {
    let authority = format!("127.0.0.1:{port}");
    for _ in 0..count {
        let request = OutgoingRequest::new(Fields::new());
        request.set_scheme(Some(scheme)).map_err(shown)?;
        request.set_authority(Some(&authority)).map_err(shown)?;
        request.set_path_with_query(Some("/")).map_err(shown)?;
        let answer = outgoing_handler::handle(request, None).map_err(shown)?;
        answer.subscribe().block();
        let answer = answer.get().ok_or("no answer")?.map_err(shown)?.map_err(shown)?;
        let body = answer.consume().map_err(shown)?;
        let mut stream = body.stream().map_err(shown)?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).map_err(shown)?;
        if answer.status() != 200 || bytes.is_empty() {
            return Err(format!("{} {bytes:?}", answer.status()));
        }
    }
    Ok(())
}
