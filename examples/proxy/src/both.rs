//! Asks both servers at the same time, and answers with both answers.

use crate::upstream::Upstream;
use futures_util::future::join;
use wasip3::http::types::{ErrorCode, Response};
use wasip3::wit_bindgen::StreamResult;
use wasip3::wit_future;

/// Bytes of one server's answer.
const ANSWER_MAX: usize = 1 << 20;

const PIECE_BYTES: usize = 64 * 1024;

pub async fn ask(path: &str) -> Result<Response, ErrorCode> {
    let (orders, stock) = (Upstream::named("ORDERS")?, Upstream::named("STOCK")?);
    let (orders, stock) = join(part(&orders, path), part(&stock, path)).await;
    Ok(crate::text(200, format!("orders: {}\nstock: {}\n", orders.trim_end(), stock.trim_end())))
}

/// Returns what a server says. One that cannot be asked does not take the other's answer away.
async fn part(upstream: &Upstream, path: &str) -> String {
    match upstream.get(path).await {
        Ok(answer) => text(answer).await,
        Err(error) => format!("not there ({error:?})"),
    }
}

async fn text(answer: Response) -> String {
    let (_received, consumed) = wit_future::new(|| Ok(()));
    let (mut contents, _trailers) = Response::consume_body(answer, consumed);
    let mut bytes = Vec::new();
    while bytes.len() < ANSWER_MAX {
        let (result, piece) = contents.read(Vec::with_capacity(PIECE_BYTES)).await;
        bytes.extend_from_slice(&piece);
        if result == StreamResult::Dropped {
            break;
        }
    }
    bytes.truncate(ANSWER_MAX);
    String::from_utf8_lossy(&bytes).into_owned()
}
