//! Streams, futures and resources in streams and futures.

use crate::exports::test::depot::nest::{CrateOfParts, Guest, GuestTicket, Parcel, Ticket as OwnTicket};
use crate::{Depot, Part, part, wit_future, wit_stream};
use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};
use wit_bindgen::{FutureReader, StreamReader};

static WAITING: AtomicU32 = AtomicU32::new(0);
static ISSUED: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static HELD: RefCell<Vec<StreamReader<StreamReader<u8>>>> = const { RefCell::new(Vec::new()) };
}

/// Counted while it lives.
pub struct Ticket(u32);

impl Ticket {
    fn new(number: u32) -> OwnTicket {
        ISSUED.fetch_add(1, Ordering::Relaxed);
        OwnTicket::new(Self(number))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        ISSUED.fetch_sub(1, Ordering::Relaxed);
    }
}

impl GuestTicket for Ticket {
    fn number(&self) -> u32 {
        self.0
    }
}

impl Guest for Depot {
    type Ticket = Ticket;

    async fn unpack(mut crates: StreamReader<CrateOfParts>) -> u32 {
        let mut count = 0;
        while let Some(one) = crates.next().await {
            count += one.parts.collect().await.len();
        }
        count as u32
    }

    async fn pack(count: u32, end: String) -> StreamReader<CrateOfParts> {
        let (mut writer, reader) = wit_stream::new();
        wit_bindgen::spawn(async move {
            for number in 1..=count {
                let (mut inner, parts) = wit_stream::new();
                let name = format!("crate {number}");
                WAITING.fetch_add(1, Ordering::Relaxed);
                wit_bindgen::spawn(async move {
                    inner.write_all((0..number).map(part).collect()).await;
                    WAITING.fetch_sub(1, Ordering::Relaxed);
                });
                if writer.write_one(CrateOfParts { name, parts }).await.is_some() {
                    return;
                }
            }
            super::finish(&end);
        });
        reader
    }

    fn waiting() -> u32 {
        WAITING.load(Ordering::Relaxed)
    }

    async fn rows(mut rows: StreamReader<StreamReader<u8>>) -> StreamReader<StreamReader<u8>> {
        let (mut writer, reader) = wit_stream::new();
        wit_bindgen::spawn(async move {
            while let Some(row) = rows.next().await {
                let (mut inner, upper) = wit_stream::new();
                wit_bindgen::spawn(async move {
                    inner.write_all(row.collect().await.to_ascii_uppercase()).await;
                });
                if writer.write_one(upper).await.is_some() {
                    return;
                }
            }
        });
        reader
    }

    async fn send(name: String, parts: FutureReader<StreamReader<Part>>) -> FutureReader<Result<Parcel, String>> {
        let (writer, reader) = wit_future::new(|| Err("nothing was sent".to_owned()));
        wit_bindgen::spawn(async move {
            let parcel = if name.is_empty() {
                Parcel::Letter("without a name".to_owned())
            } else {
                Parcel::Crate(CrateOfParts { name, parts: parts.await })
            };
            let _ = writer.write(Ok(parcel)).await;
        });
        reader
    }

    async fn promise(end: String) -> FutureReader<Result<CrateOfParts, String>> {
        let (writer, reader) = wit_future::new(|| Err("nothing was promised".to_owned()));
        wit_bindgen::spawn(async move {
            assert!(end != "first", "as it was told");
            let (mut inner, parts) = wit_stream::new();
            let _ = writer.write(Ok(CrateOfParts { name: "promised".to_owned(), parts })).await;
            inner.write_one(part(0)).await;
            assert!(end != "later", "as it was told");
            inner.write_one(part(1)).await;
        });
        reader
    }

    async fn many(count: u32) -> Vec<StreamReader<Part>> {
        let one = |number| {
            let (mut writer, reader) = wit_stream::new();
            wit_bindgen::spawn(async move {
                writer.write_one(part(number)).await;
            });
            reader
        };
        (0..count).map(one).collect()
    }

    async fn hold(rows: StreamReader<StreamReader<u8>>) {
        HELD.with_borrow_mut(|held| held.push(rows));
    }

    async fn tickets(count: u32) -> StreamReader<OwnTicket> {
        let (mut writer, reader) = wit_stream::new();
        wit_bindgen::spawn(async move {
            for number in 0..count {
                // What is not taken comes back, and is dropped here.
                if writer.write_one(Ticket::new(number)).await.is_some() {
                    return;
                }
            }
        });
        reader
    }

    fn issued() -> u32 {
        ISSUED.load(Ordering::Relaxed)
    }

    async fn redeem(mut tickets: StreamReader<OwnTicket>) -> u32 {
        let mut sum = 0;
        while let Some(ticket) = tickets.next().await {
            sum += ticket.get::<Ticket>().0;
        }
        sum
    }

    async fn renew(ticket: FutureReader<OwnTicket>, most: u32) -> FutureReader<Result<OwnTicket, String>> {
        let (writer, reader) = wit_future::new(|| Err("nothing was renewed".to_owned()));
        wit_bindgen::spawn(async move {
            let number = ticket.await.get::<Ticket>().0 + 1;
            let renewed = if number > most { Err(format!("{number} is too many")) } else { Ok(Ticket::new(number)) };
            let _ = writer.write(renewed).await;
        });
        reader
    }
}
