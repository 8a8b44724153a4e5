//! Adds prices: `/?3,5,7`. An empty list, or one with a word in it, is the mistake to look for.

use std::io::Write as _;

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

wasip2::http::proxy::export!(Total);

struct Total;

/// What is ordered.
struct Order {
    prices: Vec<u32>,
    discount: u32,
}

impl Guest for Total {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let path = request.path_with_query().unwrap_or_default();
        let order = read(&path);
        let sum = total(&order);
        respond(out, &format!("total {sum}\n"));
    }
}

/// Reads what comes after the question mark.
fn read(path: &str) -> Order {
    let list = path.split_once('?').map_or("", |(_, list)| list);
    let prices: Vec<u32> = list.split(',').filter_map(|price| price.parse().ok()).collect();
    let discount = 10 / prices.len() as u32;
    Order { prices, discount }
}

/// Adds up the prices, each with its discount.
fn total(order: &Order) -> u32 {
    let mut sum = 0;
    for price in &order.prices {
        let reduced = price - order.discount;
        sum += reduced;
    }
    sum
}

fn respond(out: ResponseOutparam, text: &str) {
    let response = OutgoingResponse::new(Fields::new());
    let Ok(body) = response.body() else { return };
    ResponseOutparam::set(out, Ok(response));
    // A failed write means that the client went away: nothing is left to be told.
    if let Ok(mut stream) = body.write() {
        let _ = stream.write_all(text.as_bytes());
    }
    let _ = OutgoingBody::finish(body, None);
}
