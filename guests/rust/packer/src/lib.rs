//! A WASI 0.3 HTTP handler that gives streams and futures of records and the like to `test:depot`, and takes some back: `/parts?count=N&end=E`,
//! `/events`, `/points?count=N`, `/levels`, `/lists`, `/left`, `/take?count=N`, `/held?ms=N`, `/finish?end=E`, `/again?count=N`, `/finish-hard?end=E`, `/pass?count=N`, and `/through?of=points|parts&count=N`, the nanoseconds that so many took.

use query::Query;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use wasip3::clocks::monotonic_clock;
use wasip3::exports::http::handler::Guest;
use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wit_bindgen::{StreamReader, StreamResult, StreamWriter};

wit_bindgen::generate!({
    path: "../depot/wit",
    inline: "
        package test:packer;
        world packer {
            import test:depot/depot@1.0.0;
        }
    ",
    world: "test:packer/packer",
    generate_all,
});

use test::depot::depot::{self, Event, Level, Marks, Part, Point};

wasip3::http::service::export!(Packer);

struct Packer;

impl Guest for Packer {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let query = Query::parse(&request.get_path_with_query().unwrap_or_default());
        let (count, end) = (query.number("count", 1), query.text("end").unwrap_or_default().to_owned());
        let number = u32::try_from(count).unwrap_or(u32::MAX);
        let text = match query.path() {
            "/parts" => parts(number, end).await,
            "/events" => events().await,
            "/points" => points(count).await,
            "/levels" => levels().await,
            "/lists" => lists().await,
            "/left" => left().await,
            "/take" => take(number).await,
            "/held" => held(query.number("ms", 100)).await,
            "/finish" => finish(end).await,
            "/finish-hard" => format!("{:?}", depot::finish_hard(end).await.await),
            "/again" => again(count).await,
            "/pass" => pass(count).await,
            "/through" => through(query.text("of").unwrap_or_default(), count).await,
            path => format!("no case {path}"),
        };
        let (mut writer, contents) = wasip3::wit_stream::new();
        wit_bindgen::spawn(async move {
            writer.write_all(text.into_bytes()).await;
        });
        let (_, trailers) = wasip3::wit_future::new(|| Ok(None));
        Ok(Response::new(Fields::new(), Some(contents), trailers).0)
    }
}

fn part(number: u32) -> Part {
    let note = number.is_multiple_of(2).then(|| "größe".to_owned());
    Part { name: format!("part {number}"), sizes: (0..number % 5).collect(), note }
}

fn point(number: u64) -> Point {
    Point { at: number, level: Level::Low, marks: Marks::FRESH, height: number as f32 / 4.0 }
}

/// Reads all parts and looks at each.
async fn parts(count: u32, end: String) -> String {
    let mut parts = depot::parts(count, end).await;
    let mut read = 0;
    let mut piece = Vec::with_capacity(100);
    loop {
        let (result, mut got) = parts.read(piece).await;
        for one in got.drain(..) {
            let wanted = part(read);
            if (&one.name, &one.sizes, &one.note) != (&wanted.name, &wanted.sizes, &wanted.note) {
                return format!("{one:?} instead of {wanted:?}");
            }
            read += 1;
        }
        piece = got;
        if result == StreamResult::Dropped {
            return format!("{read} parts");
        }
    }
}

async fn events() -> String {
    let (mut writer, reader) = wit_stream::new();
    wit_bindgen::spawn(async move {
        let many = vec![Event::Came(part(3)), Event::Went("away".to_owned()), Event::Moved(point(2)), Event::Nothing];
        writer.write_all(many).await;
        writer.write_one(Event::Went("x".repeat(1 << 20))).await;
    });
    let events = depot::events(reader).await.collect().await;
    let texts = events.into_iter().map(|event| match event {
        Event::Went(text) if text.len() > 100 => format!("{} bytes", text.len()),
        other => format!("{other:?}"),
    });
    texts.collect::<Vec<_>>().join("; ")
}

async fn points(count: u64) -> String {
    let (mut writer, reader) = wit_stream::new();
    wit_bindgen::spawn(async move {
        for start in (0..count).step_by(1000) {
            writer.write_all((start..count.min(start + 1000)).map(point).collect()).await;
        }
    });
    let points = depot::points(reader).await.collect().await;
    let is_right = |(number, point): (usize, &Point)| {
        point.at == number as u64
            && point.level == Level::Middle
            && point.marks == Marks::FRESH | Marks::SOLD
            && point.height == number as f32 / 4.0
    };
    format!("{} points, {}", points.len(), points.iter().enumerate().all(is_right))
}

async fn levels() -> String {
    let (mut writer, reader) = wit_stream::new();
    wit_bindgen::spawn(async move {
        writer.write_all(vec![Level::Low, Level::High]).await;
    });
    format!("{:?}", depot::levels(reader).await.collect().await)
}

async fn lists() -> String {
    let (mut writer, reader) = wit_stream::new();
    wit_bindgen::spawn(async move {
        writer.write_all(vec![vec![vec![part(1)], Vec::new(), vec![part(2), part(4)]], Vec::new()]).await;
    });
    let lists = depot::lists(reader).await.collect().await;
    let names = |list: &Vec<Part>| list.iter().map(|part| part.name.clone()).collect::<Vec<_>>();
    format!("{:?}", lists.iter().map(|list| list.iter().map(names).collect()).collect::<Vec<Vec<_>>>())
}

/// Takes an endless stream and lets it go after the first part.
async fn left() -> String {
    let mut parts = depot::parts(u32::MAX, String::new()).await;
    let first = parts.next().await;
    drop(parts);
    while !depot::written().1 {
        sleep(1).await;
    }
    format!("{:?}, then its writer knew", first.map(|part| part.name))
}

async fn sleep(milliseconds: u64) {
    monotonic_clock::wait_for(milliseconds * 1_000_000).await;
}

static WRITTEN: AtomicU64 = AtomicU64::new(0);
static KNOWN: AtomicBool = AtomicBool::new(false);

/// Writes until nobody reads any more.
async fn write(mut writer: StreamWriter<Part>) {
    for number in 0.. {
        if writer.write_one(part(number)).await.is_some() {
            return;
        }
        WRITTEN.fetch_add(1, Ordering::Relaxed);
    }
}

/// Writes an endless stream of which only the beginning is read.
async fn take(count: u32) -> String {
    let (writer, reader) = wit_stream::new();
    wit_bindgen::spawn(async move {
        write(writer).await;
        KNOWN.store(true, Ordering::Relaxed);
    });
    let taken = depot::take(reader, count).await;
    while !KNOWN.load(Ordering::Relaxed) {
        sleep(1).await;
    }
    format!("{taken}, then the writer knew")
}

/// Gives a stream away that is never read. Returns how much of it could be written.
async fn held(milliseconds: u64) -> String {
    let (writer, reader) = wit_stream::new();
    depot::hold(reader).await;
    wit_bindgen::spawn(write(writer));
    sleep(milliseconds).await;
    format!("{}", WRITTEN.load(Ordering::Relaxed))
}

async fn finish(end: String) -> String {
    let (writer, reader) = wit_future::new(|| part(0));
    let finished = depot::finish(reader, end).await;
    let _ = writer.write(part(4)).await;
    format!("{:?}", finished.await)
}

/// Has so many parts finished, one after the other, while one is still to come.
async fn again(count: u64) -> String {
    let (writer, reader) = wit_future::new(|| part(0));
    let last = depot::finish(reader, String::new()).await;
    let mut done = 0;
    for number in 0..count {
        let (writer, reader) = wit_future::new(|| part(0));
        let finished = depot::finish(reader, String::new()).await;
        let _ = writer.write(part(number as u32)).await;
        done += u64::from(finished.await.is_ok_and(|part| part.name == format!("part {number}")));
    }
    let _ = writer.write(part(3)).await;
    format!("{done}, {:?}", last.await)
}

/// Sends streams and futures through a function that is not asynchronous, several at a time.
async fn pass(count: u64) -> String {
    let mut passed = Vec::new();
    for number in 0..count {
        let (mut writer, points) = wit_stream::new();
        let (value, later) = wit_future::new(|| part(0));
        passed.push(depot::pass(points, later));
        wit_bindgen::spawn(async move {
            writer.write_all(vec![point(number), point(number + 1)]).await;
            let _ = value.write(part(number as u32)).await;
        });
    }
    let mut texts = Vec::new();
    for (points, part) in passed {
        let points: Vec<u64> = points.collect().await.iter().map(|point| point.at).collect();
        texts.push(format!("{points:?} {}", part.await.name));
    }
    texts.join(", ")
}

/// Has so many added up.
async fn through(of: &str, count: u64) -> String {
    const PIECE: u64 = 1000;
    let pieces = move || (0..count).step_by(PIECE as usize).map(move |start| start..count.min(start + PIECE));
    let started = monotonic_clock::now();
    let sum = if of == "points" {
        let (mut writer, reader) = wit_stream::new();
        wit_bindgen::spawn(async move {
            for piece in pieces() {
                writer.write_all(piece.map(point).collect()).await;
            }
        });
        depot::sum_points(reader).await
    } else {
        let (mut writer, reader): (_, StreamReader<Part>) = wit_stream::new();
        wit_bindgen::spawn(async move {
            for piece in pieces() {
                writer.write_all(piece.map(|number| part(number as u32)).collect()).await;
            }
        });
        depot::sum_parts(reader).await
    };
    format!("{} {sum}", monotonic_clock::now() - started)
}
