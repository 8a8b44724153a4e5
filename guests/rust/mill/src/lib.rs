//! A library whose functions take and give streams and futures.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use wit_bindgen::{FutureReader, StreamReader, StreamResult, StreamWriter};

wit_bindgen::generate!({ path: "wit", world: "library" });

use exports::test::mill::mill::Guest;

struct Mill;

export!(Mill);

static GROWN: AtomicU64 = AtomicU64::new(0);
static LEFT: AtomicBool = AtomicBool::new(false);

thread_local! {
    static HELD: RefCell<Vec<StreamReader<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Bytes that are read or written at a time.
const PIECE: usize = 64 * 1024;

impl Guest for Mill {
    async fn upper(mut text: StreamReader<u8>) -> (StreamReader<u8>, FutureReader<Result<u64, String>>) {
        let (mut writer, reader) = wit_stream::new();
        let (told, count) = wit_future::new(|| Err("nobody counted".to_owned()));
        wit_bindgen::spawn(async move {
            let mut count = 0;
            while let Some(mut piece) = next(&mut text).await {
                piece.make_ascii_uppercase();
                count += piece.len() as u64;
                if !writer.write_all(piece).await.is_empty() {
                    break;
                }
            }
            drop(writer);
            let _ = told.write(Ok(count)).await;
        });
        (reader, count)
    }

    async fn grow(count: u64, end: String) -> StreamReader<u8> {
        let (writer, reader) = wit_stream::new();
        wit_bindgen::spawn(async move {
            write(writer, count, &end).await;
        });
        reader
    }

    async fn grow_told(count: u64, end: String) -> (StreamReader<u8>, FutureReader<Result<u64, String>>) {
        if count == 0 {
            finish(&end);
        }
        let (writer, reader) = wit_stream::new();
        let (told, how) = wit_future::new(|| Err("nobody told".to_owned()));
        wit_bindgen::spawn(async move {
            write(writer, count, &end).await;
            let _ = told.write(Ok(GROWN.load(Ordering::Relaxed))).await;
        });
        (reader, how)
    }

    fn grown() -> (u64, bool) {
        (GROWN.load(Ordering::Relaxed), LEFT.load(Ordering::Relaxed))
    }

    async fn hold(bytes: StreamReader<u8>) {
        HELD.with_borrow_mut(|held| held.push(bytes));
    }

    async fn take(mut bytes: StreamReader<u8>, count: u64) -> u64 {
        let mut taken = 0;
        while taken < count {
            let Some(piece) = next(&mut bytes).await else { break };
            taken += piece.len() as u64;
        }
        taken
    }

    async fn lengths(mut words: StreamReader<String>) -> StreamReader<u32> {
        let (mut writer, reader) = wit_stream::new();
        wit_bindgen::spawn(async move {
            while let Some(word) = words.next().await {
                writer.write_one(word.len() as u32).await;
            }
        });
        reader
    }

    async fn reversed(mut lists: StreamReader<Vec<i16>>) -> StreamReader<Vec<i16>> {
        let (mut writer, reader) = wit_stream::new();
        wit_bindgen::spawn(async move {
            while let Some(mut list) = lists.next().await {
                list.reverse();
                writer.write_one(list).await;
            }
        });
        reader
    }

    async fn ticks(mut ticks: StreamReader<()>) -> u32 {
        let mut count = 0;
        while ticks.next().await.is_some() {
            count += 1;
        }
        count
    }

    async fn later(text: FutureReader<String>) -> FutureReader<u32> {
        let (writer, reader) = wit_future::new(|| 0);
        wit_bindgen::spawn(async move {
            let text = text.await;
            let _ = writer.write(text.len() as u32).await;
        });
        reader
    }

    async fn promise(end: String) -> FutureReader<Result<u32, String>> {
        let (writer, reader) = wit_future::new(|| Err("nobody kept it".to_owned()));
        wit_bindgen::spawn(async move {
            wit_bindgen::yield_async().await;
            finish(&end);
            let _ = writer.write(Ok(7)).await;
        });
        reader
    }

    async fn promise_hard(end: String) -> FutureReader<u32> {
        let (writer, reader) = wit_future::new(|| 0);
        wit_bindgen::spawn(async move {
            wit_bindgen::yield_async().await;
            finish(&end);
            let _ = writer.write(7).await;
        });
        reader
    }
}

/// Returns the next piece; none at the end.
async fn next(bytes: &mut StreamReader<u8>) -> Option<Vec<u8>> {
    let (result, piece) = bytes.read(Vec::with_capacity(PIECE)).await;
    (result != StreamResult::Dropped || !piece.is_empty()).then_some(piece)
}

async fn write(mut writer: StreamWriter<u8>, count: u64, end: &str) {
    let mut left = count;
    while left > 0 {
        let piece = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let refused = writer.write_all(vec![b'g'; piece]).await.len();
        GROWN.fetch_add((piece - refused) as u64, Ordering::Relaxed);
        if refused > 0 {
            LEFT.store(true, Ordering::Relaxed);
            return;
        }
        left -= piece as u64;
    }
    finish(end);
}

fn finish(end: &str) {
    match end {
        "panic" => panic!("as it was told"),
        "loop" => loop {
            std::hint::spin_loop();
        },
        _ => {}
    }
}
