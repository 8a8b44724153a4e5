//! A WASI 0.3 HTTP handler that gives streams and futures to `test:mill`, and takes some back: `/upper` and `/count` (with a body),
//! `/grow?count=N&end=E`, `/told?count=N&end=E`, `/held?ms=N`, `/slow?ms=N`, `/left`, `/take?count=N`, `/words`, `/lists`, `/ticks`,
//! `/later`, `/promise?end=E`, `/promise-hard?end=E`, `/stuck` and `/through?bytes=N`, the nanoseconds that so many bytes took.

use query::Query;
use std::sync::atomic::{AtomicU64, Ordering};
use wasip3::clocks::monotonic_clock;
use wasip3::exports::http::handler::Guest;
use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wit_bindgen::{StreamReader, StreamResult, StreamWriter};

wit_bindgen::generate!({
    path: "../mill/wit",
    inline: "
        package test:feeder;
        world feeder {
            import test:mill/mill@1.0.0;
        }
    ",
    world: "test:feeder/feeder",
    generate_all,
});

use test::mill::mill;

wasip3::http::service::export!(Feeder);

struct Feeder;

/// Bytes that are read or written at a time.
const PIECE: usize = 64 * 1024;

impl Guest for Feeder {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let query = Query::parse(&request.get_path_with_query().unwrap_or_default());
        let (count, end) = (query.number("count", 1), query.text("end").unwrap_or_default().to_owned());
        let text = match query.path() {
            "/upper" => return Ok(respond(mill::upper(body(request)).await.0)),
            "/grow" => return Ok(respond(mill::grow(count, end).await)),
            "/count" => {
                let (text, told) = mill::upper(body(request)).await;
                let (length, lower) = read(text).await;
                format!("{length} bytes, {lower} in lower case, {:?}", told.await)
            }
            "/told" => {
                let (bytes, told) = mill::grow_told(count, end).await;
                let (length, _) = read(bytes).await;
                format!("{length} bytes, {:?}", told.await)
            }
            "/held" => held(query.number("ms", 100)).await,
            "/slow" => slow(query.number("ms", 100)).await,
            "/left" => left().await,
            "/take" => take(count).await,
            "/words" => words().await,
            "/lists" => lists().await,
            "/ticks" => ticks().await,
            "/later" => later().await,
            "/promise" => format!("{:?}", mill::promise(end).await.await),
            "/promise-hard" => mill::promise_hard(end).await.await.to_string(),
            "/stuck" => stuck().await,
            "/through" => through(query.number("bytes", 1)).await,
            path => format!("no case {path}"),
        };
        let (mut writer, contents) = wit_stream::new();
        wit_bindgen::spawn(async move {
            writer.write_all(text.into_bytes()).await;
        });
        Ok(respond(contents))
    }
}

fn respond(contents: StreamReader<u8>) -> Response {
    let (_, trailers) = wasip3::wit_future::new(|| Ok(None));
    Response::new(Fields::new(), Some(contents), trailers).0
}

fn body(request: Request) -> StreamReader<u8> {
    let (_, consumed) = wasip3::wit_future::new(|| Ok(()));
    Request::consume_body(request, consumed).0
}

/// Reads to the end. Returns how many bytes there were, and how many of them were lower case letters.
async fn read(mut bytes: StreamReader<u8>) -> (u64, usize) {
    let (mut length, mut lower) = (0, 0);
    let mut piece = Vec::with_capacity(PIECE);
    loop {
        piece.clear();
        let (result, read) = bytes.read(piece).await;
        length += read.len() as u64;
        lower += read.iter().filter(|byte| byte.is_ascii_lowercase()).count();
        piece = read;
        if result == StreamResult::Dropped {
            return (length, lower);
        }
    }
}

async fn sleep(milliseconds: u64) {
    monotonic_clock::wait_for(milliseconds * 1_000_000).await;
}

static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// Writes until nobody reads any more.
async fn write(mut writer: StreamWriter<u8>) {
    loop {
        // Small pieces, so that what is counted is what was taken.
        let refused = writer.write_all(vec![b'f'; 1024]).await.len();
        WRITTEN.fetch_add(1024 - refused as u64, Ordering::Relaxed);
        if refused > 0 {
            return;
        }
    }
}

/// Gives a stream away that is never read. Returns how much of it could be written.
async fn held(milliseconds: u64) -> String {
    let (writer, reader) = wit_stream::new();
    mill::hold(reader).await;
    wit_bindgen::spawn(write(writer));
    sleep(milliseconds).await;
    format!("{}", WRITTEN.load(Ordering::Relaxed))
}

/// Takes an endless stream, does not read it for a while, and then for a moment. Returns how much was written after each.
async fn slow(milliseconds: u64) -> String {
    let mut bytes = mill::grow(u64::MAX, String::new()).await;
    sleep(milliseconds).await;
    let (before, _) = mill::grown();
    let (_, piece) = bytes.read(Vec::with_capacity(1000)).await;
    sleep(milliseconds).await;
    let (after, _) = mill::grown();
    format!("{before} {} {after}", piece.len())
}

/// Takes an endless stream and lets it go after the first piece.
async fn left() -> String {
    let mut bytes = mill::grow(u64::MAX, String::new()).await;
    let (_, piece) = bytes.read(Vec::with_capacity(1000)).await;
    drop(bytes);
    while !mill::grown().1 {
        sleep(1).await;
    }
    format!("{} bytes, then its writer knew", piece.len())
}

/// Writes an endless stream of which only the beginning is read.
async fn take(count: u64) -> String {
    let (writer, reader) = wit_stream::new();
    let (done, is_done) = wit_future::new(|| 0u32);
    wit_bindgen::spawn(async move {
        write(writer).await;
        let _ = done.write(1).await;
    });
    let taken = mill::take(reader, count).await;
    is_done.await;
    format!("{}, then the writer knew", taken >= count)
}

async fn words() -> String {
    let (mut writer, reader) = wit_stream::new();
    wit_bindgen::spawn(async move {
        let words = ["a", "", "four", "größe"].map(str::to_owned).to_vec();
        writer.write_all(words).await;
        writer.write_one("x".repeat(1 << 20)).await;
    });
    format!("{:?}", mill::lengths(reader).await.collect().await)
}

async fn lists() -> String {
    let (mut writer, reader) = wit_stream::new();
    wit_bindgen::spawn(async move {
        writer.write_all(vec![vec![1, -2, 3], Vec::new(), vec![i16::MIN]]).await;
    });
    format!("{:?}", mill::reversed(reader).await.collect().await)
}

async fn ticks() -> String {
    let (mut writer, reader) = wit_stream::new();
    wit_bindgen::spawn(async move {
        for _ in 0..5 {
            writer.write_one(()).await;
        }
    });
    mill::ticks(reader).await.to_string()
}

async fn later() -> String {
    let (writer, reader) = wit_future::new(String::new);
    let length = mill::later(reader).await;
    let _ = writer.write("a text".to_owned()).await;
    length.await.to_string()
}

/// Waits for a stream that nobody reads.
async fn stuck() -> String {
    let (writer, reader) = wit_stream::new();
    mill::hold(reader).await;
    write(writer).await;
    "it was read".to_owned()
}

/// Sends so many bytes through the mill, and reads them back.
async fn through(bytes: u64) -> String {
    let (mut writer, reader) = wit_stream::new();
    let started = monotonic_clock::now();
    let (text, told) = mill::upper(reader).await;
    wit_bindgen::spawn(async move {
        let mut piece = vec![b'f'; PIECE];
        let mut left = bytes;
        while left > 0 {
            piece.resize(usize::try_from(left).unwrap_or(PIECE).min(PIECE), b'f');
            left -= piece.len() as u64;
            let (result, buffer) = writer.write(piece).await;
            if result == StreamResult::Dropped {
                return;
            }
            left += buffer.remaining() as u64;
            piece = buffer.into_vec();
        }
    });
    let (length, _) = read(text).await;
    format!("{} {length} {:?}", monotonic_clock::now() - started, told.await)
}
