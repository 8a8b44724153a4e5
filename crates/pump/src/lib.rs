//! Makes pumps: small components that read and write streams and futures of a type that the host has no Rust type for.
//!
//! In: what a stream or a future is of, as a [`Shape`]. Out: a component, by [`Pump::component`]. Next: `transfer` compiles it and runs it
//! beside the guest, in the guest's store.
//!
//! The engine moves elements between a guest and the host as values of types that were known when the host was compiled. Between two
//! guests of one store it moves elements of any type. So a pump is a guest: it reads what the other one writes and hands it to the host as a
//! list, for which the host needs no type of its own; and the other way round. What it hands over are the bytes that the engine left in its
//! memory, so it needs to know nothing of the elements but their size.
//!
//! It exports, with `flow` for the stream or the future:
//!
//! - `drain: async func(flow, id: u64)`: reads to the end. Asks `room(id)` for how many elements there is room, and calls `give(id, items)`.
//! - `fill: async func(end: u32, id: u64)`: writes what the host has. Asks `next(id)` whether there is more, and calls `fetch(id)` for it. Ends
//!   when there is not, or when the reader went away.
//! - `open: func(on: u32)`: makes as many new flows as `wanted()` says, and calls `opened(flow, end, on)` for each. So does the pump when it is
//!   instantiated, then with the largest number: a flow is at hand also where no guest can be called.
//!
//! If there are streams or futures in the elements, what is fetched and cannot be written any more goes `back(id, items)`: what nobody reads
//! has to be closed.
//!
//! Both ends of a flow call `done(id)` when they are done. A pump waits without a stack of its own and without a buffer; a buffer is held
//! while a piece is read, and while one is written. Its memory is as large as what is written at a time.
//!
//! What an instance drains it must not have filled: the engine does not let an instance read what it writes. So there are instances for
//! the one and for the other, and a guest may give back a stream that it was given.

mod shape;
mod spell;
#[cfg(test)]
mod tests;

pub use shape::{Shape, Simple};

/// The parts of a pump, as text.
const PUMP: &str = include_str!("pump.wat");
const HEAP: &str = include_str!("heap.wat");
const WORK: &str = include_str!("work.wat");
const STREAM: &str = include_str!("stream.wat");
const FUTURE: &str = include_str!("future.wat");

/// How what was not written goes back: its type, the import of the module, the call, and what makes it a function of the module.
const BACK: [&str; 5] = [
    "(import \"back\" (func $back (param \"id\" u64) (param \"items\" $items)))",
    "(import \"\" \"back\" (func $back (param i64 i32 i32)))",
    "(if (i32.load offset=36 (local.get $r))
      (then
        (call $back (i64.load offset=16 (local.get $r)) (i32.load offset=28 (local.get $r)) (i32.load offset=36 (local.get $r)))))",
    "(core func $back (canon lower (func $back) (memory $memory) (realloc $realloc)))",
    "(export \"back\" (func $back))",
];

/// What is pumped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flow {
    /// Any number of elements.
    Stream,
    /// One.
    Future,
}

/// A pump for streams or futures of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pump {
    flow: Flow,
    element: Shape,
}

/// A pump that cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a pump for the type")]
#[non_exhaustive]
pub struct Error {
    source: wat::Error,
}

impl Pump {
    /// Returns a pump of elements of a shape.
    pub fn new(flow: Flow, element: Shape) -> Self {
        Self { flow, element }
    }

    /// Tells whether the host gets elements as the bytes that they are. Elements that refer to nothing are the same bytes everywhere.
    pub fn is_of_bytes(&self) -> bool {
        self.flow == Flow::Stream && self.element.is_flat()
    }

    /// Tells whether there are streams or futures in the elements.
    pub fn has_flows(&self) -> bool {
        self.element.has_flows()
    }

    /// Returns the bytes that an element takes, without what it refers to.
    pub fn element_bytes(&self) -> u32 {
        self.element.layout().size
    }

    /// Returns the component.
    ///
    /// # Errors
    /// When the names of the type are none.
    pub fn component(&self) -> Result<Vec<u8>, Error> {
        wat::parse_str(self.text()).map_err(|source| Error { source })
    }

    fn text(&self) -> String {
        let (definitions, element) = spell::spell(&self.element);
        let size = self.element_bytes();
        let unit = if self.is_of_bytes() { size } else { 1 };
        let item = if self.is_of_bytes() { "u8" } else { element.as_str() };
        let (flow, rest, args) = match self.flow {
            Flow::Stream => ("stream", STREAM, "i32 i32 i32"),
            Flow::Future => ("future", FUTURE, "i32 i32"),
        };
        // A wait for the value of a future is never given up.
        let [cancel_import, cancel, cancel_export] = match self.flow {
            Flow::Stream => [
                "(import \"\" \"cancel-read\" (func $cancel-read (param i32) (result i32)))",
                "(core func $cancel-read (canon stream.cancel-read $flow))",
                "(export \"cancel-read\" (func $cancel-read))",
            ],
            Flow::Future => [""; 3],
        };
        let back = if self.has_flows() { BACK } else { [""; 5] };
        let [back_type, back_import, back, back_lower, back_export] = back;
        let (size, unit) = (size.to_string(), unit.to_string());
        let places = [
            ("{heap}", HEAP),
            ("{work}", WORK),
            ("{rest}", rest),
            ("{args}", args),
            ("{size}", &size),
            ("{unit}", &unit),
            ("{flow}", flow),
            ("{element}", &element),
            ("{item}", item),
            ("{back_type}", back_type),
            ("{back_import}", back_import),
            ("{back}", back),
            ("{back_lower}", back_lower),
            ("{back_export}", back_export),
            ("{cancel_import}", cancel_import),
            ("{cancel}", cancel),
            ("{cancel_export}", cancel_export),
            // The only one with words of others, so the last.
            ("{definitions}", &definitions),
        ];
        places.iter().fold(PUMP.to_owned(), |text, (place, what)| text.replace(place, what))
    }
}
