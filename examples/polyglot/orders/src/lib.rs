//! The order library: keeps orders while they are taken, and has them priced.

wit_bindgen::generate!({ path: "../wit", world: "order-library", generate_all });

use docs::polyglot::prices::{self, Priced, Wanted};
use exports::docs::polyglot::orders::{self, Bill, Entry, Guest, GuestOrder};
use std::cell::RefCell;

export!(Library);

struct Library;

/// What is behind the handle that callers have.
struct Order(RefCell<Vec<Wanted>>);

impl Guest for Library {
    type Order = Order;
}

impl GuestOrder for Order {
    fn new() -> Self {
        Self(RefCell::default())
    }

    fn add(&self, line: String) -> Result<u32, orders::Error> {
        let Some((count, article)) = read(&line) else { return Err(orders::Error::Unreadable(line)) };
        let mut articles = self.0.borrow_mut();
        match articles.iter_mut().find(|known| known.article == article) {
            Some(known) => known.count = known.count.saturating_add(count),
            None => articles.push(Wanted { article, count }),
        }
        Ok(articles.iter().fold(0, |sum, known| sum.saturating_add(known.count)))
    }

    fn finish(order: orders::Order) -> Result<Bill, orders::Error> {
        let order: Order = order.into_inner();
        let articles = order.0.into_inner();
        if articles.is_empty() {
            return Err(orders::Error::Empty);
        }
        let entries: Vec<Entry> = prices::price(&articles)?.into_iter().map(Entry::from).collect();
        let sum = |of: fn(&Entry) -> u64| entries.iter().map(of).fold(0, u64::saturating_add);
        Ok(Bill { net: sum(|entry| entry.net), tax: sum(|entry| entry.tax), entries })
    }
}

/// Reads `2 apple`.
fn read(line: &str) -> Option<(u32, String)> {
    let (count, article) = line.trim().split_once(' ')?;
    let count = count.parse().ok().filter(|count| *count > 0)?;
    Some((count, article.trim().to_lowercase()))
}

impl From<Priced> for Entry {
    fn from(Priced { wanted, net, tax }: Priced) -> Self {
        Self { article: wanted.article, count: wanted.count, net, tax }
    }
}

impl From<prices::Error> for orders::Error {
    fn from(error: prices::Error) -> Self {
        match error {
            prices::Error::Unknown(article) => Self::UnknownArticle(article),
            prices::Error::OutOfStock((wanted, stock)) => Self::TooMany((wanted.article, stock)),
            prices::Error::Untaxable(wanted) => Self::TooExpensive(wanted.article),
        }
    }
}
