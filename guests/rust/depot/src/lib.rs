//! A library whose functions take and give streams and futures of types of its own.

mod nest;

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use wit_bindgen::{FutureReader, StreamReader, StreamResult};

wit_bindgen::generate!({ path: "wit", world: "library" });

use exports::test::depot::depot::{Event, Guest, Level, Marks, Part, Point, Trouble};

struct Depot;

export!(Depot);

static WRITTEN: AtomicU64 = AtomicU64::new(0);
static LEFT: AtomicBool = AtomicBool::new(false);

thread_local! {
    static HELD: RefCell<Vec<StreamReader<Part>>> = const { RefCell::new(Vec::new()) };
}

/// Elements that are read at a time.
const PIECE: usize = 1024;

impl Guest for Depot {
    async fn parts(count: u32, end: String) -> StreamReader<Part> {
        let (mut writer, reader) = wit_stream::new();
        wit_bindgen::spawn(async move {
            for number in 0..count {
                if writer.write_one(part(number)).await.is_some() {
                    LEFT.store(true, Ordering::Relaxed);
                    return;
                }
                WRITTEN.fetch_add(1, Ordering::Relaxed);
            }
            finish(&end);
        });
        reader
    }

    fn written() -> (u64, bool) {
        (WRITTEN.load(Ordering::Relaxed), LEFT.load(Ordering::Relaxed))
    }

    async fn events(mut events: StreamReader<Event>) -> StreamReader<Event> {
        let (mut writer, reader) = wit_stream::new();
        wit_bindgen::spawn(async move {
            while let Some(event) = events.next().await {
                let event = match event {
                    Event::Came(part) => Event::Came(Part { name: part.name.clone() + &part.name, ..part }),
                    other => other,
                };
                writer.write_one(event).await;
            }
        });
        reader
    }

    async fn points(mut points: StreamReader<Point>) -> StreamReader<Point> {
        let (mut writer, reader) = wit_stream::new();
        wit_bindgen::spawn(async move {
            while let Some(mut piece) = next(&mut points).await {
                for point in &mut piece {
                    point.level = up(point.level);
                    point.marks |= Marks::SOLD;
                }
                if !writer.write_all(piece).await.is_empty() {
                    return;
                }
            }
        });
        reader
    }

    async fn levels(mut levels: StreamReader<Level>) -> StreamReader<(Level, Marks)> {
        let (mut writer, reader) = wit_stream::new();
        wit_bindgen::spawn(async move {
            while let Some(level) = levels.next().await {
                writer.write_one((up(level), Marks::FRESH | Marks::CHECKED)).await;
            }
        });
        reader
    }

    async fn lists(mut lists: StreamReader<Vec<Vec<Part>>>) -> StreamReader<Vec<Vec<Part>>> {
        let (mut writer, reader) = wit_stream::new();
        wit_bindgen::spawn(async move {
            while let Some(mut list) = lists.next().await {
                list.reverse();
                writer.write_one(list).await;
            }
        });
        reader
    }

    async fn take(mut parts: StreamReader<Part>, count: u32) -> u32 {
        let mut taken = 0;
        while taken < count {
            let Some(got) = parts.next().await else { break };
            assert_eq!(got.name, part(taken).name);
            taken += 1;
        }
        taken
    }

    async fn hold(parts: StreamReader<Part>) {
        HELD.with_borrow_mut(|held| held.push(parts));
    }

    async fn finish(part: FutureReader<Part>, end: String) -> FutureReader<Result<Part, Trouble>> {
        let (writer, reader) = wit_future::new(|| Err(Trouble::Lost(0)));
        wit_bindgen::spawn(async move {
            let part = part.await;
            finish(&end);
            let made = if end == "lost" {
                Err(Trouble::Lost(7))
            } else {
                Ok(Part { note: Some("finished".to_owned()), ..part })
            };
            let _ = writer.write(made).await;
        });
        reader
    }

    fn pass(points: StreamReader<Point>, part: FutureReader<Part>) -> (StreamReader<Point>, FutureReader<Part>) {
        (points, part)
    }

    async fn finish_hard(end: String) -> FutureReader<Point> {
        let point = || Point { at: 7, level: Level::High, marks: Marks::empty(), height: 0.5 };
        let (writer, reader) = wit_future::new(point);
        wit_bindgen::spawn(async move {
            wit_bindgen::yield_async().await;
            finish(&end);
            let _ = writer.write(point()).await;
        });
        reader
    }

    async fn sum_points(mut points: StreamReader<Point>) -> u64 {
        let mut sum = 0;
        while let Some(piece) = next(&mut points).await {
            sum += piece.iter().map(|point| point.at).sum::<u64>();
        }
        sum
    }

    async fn sum_parts(mut parts: StreamReader<Part>) -> u64 {
        let mut sum = 0;
        while let Some(piece) = next(&mut parts).await {
            sum += piece.iter().flat_map(|part| &part.sizes).map(|size| u64::from(*size)).sum::<u64>();
        }
        sum
    }
}

/// The part of a number: a few of the same names, and lists of all lengths.
fn part(number: u32) -> Part {
    let note = number.is_multiple_of(2).then(|| "größe".to_owned());
    Part { name: format!("part {number}"), sizes: (0..number % 5).collect(), note }
}

fn up(level: Level) -> Level {
    match level {
        Level::Low => Level::Middle,
        Level::Middle | Level::High => Level::High,
    }
}

/// Returns the next piece; none at the end.
async fn next<T: 'static>(stream: &mut StreamReader<T>) -> Option<Vec<T>> {
    let (result, piece) = stream.read(Vec::with_capacity(PIECE)).await;
    (result != StreamResult::Dropped || !piece.is_empty()).then_some(piece)
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
