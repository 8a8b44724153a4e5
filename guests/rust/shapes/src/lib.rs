//! A library that other components call, fused with them or in an instance of its own.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

wit_bindgen::generate!({
    path: ["../../../wit/keyvalue-0.2.0-draft", "wit"],
    inline: "
        package test:shapes-guest;
        world library {
            import wasi:keyvalue/store@0.2.0-draft;
            import wasi:keyvalue/atomics@0.2.0-draft;
            include test:shapes/shapes@1.2.0;
        }
    ",
    world: "test:shapes-guest/library",
    generate_all,
});

use exports::test::shapes::api::{self, Colour, CounterBorrow, Guest, GuestCounter, Marks, Shape};
use exports::test::shapes::powers;

static CALLS: AtomicU32 = AtomicU32::new(0);

struct Shapes;

struct Counter(Cell<u32>);

impl GuestCounter for Counter {
    fn new(start: u32) -> Self {
        Self(Cell::new(start))
    }

    fn add(&self, n: u32) -> u32 {
        self.0.set(self.0.get() + n);
        self.0.get()
    }

    fn merge(one: api::Counter, other: CounterBorrow<'_>) -> api::Counter {
        let one: Counter = one.into_inner();
        api::Counter::new(Self(Cell::new(one.0.get() + other.get::<Counter>().0.get())))
    }
}

impl Guest for Shapes {
    type Counter = Counter;

    fn add(a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }

    fn mirror(
        mut shapes: Vec<Shape>,
        more: Option<(String, Colour, Marks)>,
    ) -> (Vec<Shape>, Option<(String, Colour, Marks)>) {
        shapes.reverse();
        (shapes, more.map(|(text, colour, marks)| (text.chars().rev().collect(), colour, marks)))
    }

    fn checked(n: i32) -> Result<u32, String> {
        u32::try_from(n).map_err(|error| error.to_string())
    }

    fn fail(how: String) -> Result<String, String> {
        match how.as_str() {
            "panic" => panic!("as it was told"),
            "loop" => loop {
                std::hint::spin_loop();
            },
            "memory" => {
                let mut all: Vec<Vec<u8>> = Vec::new();
                loop {
                    all.push(vec![1; 1 << 20]);
                }
            }
            _ => Ok(how),
        }
    }

    fn fail_hard() -> u32 {
        panic!("nobody can be told")
    }

    fn calls() -> u32 {
        CALLS.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl powers::Guest for Shapes {
    fn environment(name: String) -> Option<String> {
        std::env::var(name).ok()
    }

    fn count(key: String) -> Result<u64, String> {
        let bucket = wasi::keyvalue::store::open("default").map_err(|error| format!("{error:?}"))?;
        wasi::keyvalue::atomics::increment(&bucket, &key, 1).map_err(|error| format!("{error:?}"))
    }
}

export!(Shapes);
