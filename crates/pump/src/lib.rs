//! Makes pumps: small components that read and write streams and futures of a type that the host has no Rust type for.
//!
//! In: what a stream or a future is of, as a [`Shape`]. Out: a component, by [`Pump::component`]. Next: `runtime` compiles it and runs it
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
const HEAP: &str = include_str!("heap.wat");
const WORK: &str = include_str!("work.wat");
const STREAM: &str = include_str!("stream.wat");
const FUTURE: &str = include_str!("future.wat");

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
        let flow = match self.flow {
            Flow::Stream => "stream",
            Flow::Future => "future",
        };
        let (rest, args, cancel_import, cancel, cancel_export) = match self.flow {
            Flow::Stream => (
                STREAM,
                "i32 i32 i32",
                "(import \"\" \"cancel-read\" (func $cancel-read (param i32) (result i32)))",
                "(core func $cancel-read (canon stream.cancel-read $flow))",
                "(export \"cancel-read\" (func $cancel-read))",
            ),
            Flow::Future => (FUTURE, "i32 i32", "", "", ""),
        };
        let item = if self.is_of_bytes() { "u8" } else { element.as_str() };
        let numbers = |text: &str| text.replace("{size}", &size.to_string()).replace("{unit}", &unit.to_string());
        let work =
            numbers(&WORK.replace("{flow}", rest)).replace("{args}", args).replace("{cancel_import}", cancel_import);
        format!(
            r#"(component
{definitions}
(type $flow ({flow} {element}))
(type $items (list {item}))
(import "wanted" (func $wanted (result u32)))
(import "opened" (func $opened (param "flow" $flow) (param "end" u32) (param "on" u32)))
(import "room" (func $room async (param "id" u64) (result u32)))
(import "give" (func $give (param "id" u64) (param "items" $items)))
(import "next" (func $next async (param "id" u64) (result bool)))
(import "fetch" (func $fetch (param "id" u64) (result $items)))
(import "done" (func $done (param "id" u64)))
(core func $record (canon context.get i32 0))
(core func $set-record (canon context.set i32 0))
{HEAP}
(core instance $heap (instantiate $Heap))
(alias core export $heap "memory" (core memory $memory))
(alias core export $heap "realloc" (core func $realloc))
(core func $set-new (canon waitable-set.new))
(core func $set-drop (canon waitable-set.drop))
(core func $join (canon waitable.join))
(core func $subtask-cancel (canon subtask.cancel))
(core func $subtask-drop (canon subtask.drop))
(core func $returned (canon task.return))
(core func $new (canon {flow}.new $flow))
(core func $read (canon {flow}.read $flow async (memory $memory) (realloc $realloc)))
(core func $write (canon {flow}.write $flow async (memory $memory) (realloc $realloc)))
{cancel}
(core func $drop-readable (canon {flow}.drop-readable $flow))
(core func $drop-writable (canon {flow}.drop-writable $flow))
(core func $wanted (canon lower (func $wanted)))
(core func $opened (canon lower (func $opened)))
(core func $room (canon lower (func $room) async (memory $memory)))
(core func $give (canon lower (func $give) (memory $memory) (realloc $realloc)))
(core func $next (canon lower (func $next) async (memory $memory)))
(core func $fetch (canon lower (func $fetch) (memory $memory) (realloc $realloc)))
(core func $done (canon lower (func $done)))
{work}
(core instance $work (instantiate $Work
  (with "heap" (instance $heap))
  (with "" (instance
    (export "record" (func $record)) (export "set-record" (func $set-record))
    (export "set-new" (func $set-new)) (export "set-drop" (func $set-drop)) (export "join" (func $join))
    (export "subtask-cancel" (func $subtask-cancel)) (export "subtask-drop" (func $subtask-drop))
    (export "returned" (func $returned))
    (export "new" (func $new)) (export "read" (func $read)) (export "write" (func $write)) {cancel_export}
    (export "drop-readable" (func $drop-readable)) (export "drop-writable" (func $drop-writable))
    (export "wanted" (func $wanted)) (export "opened" (func $opened)) (export "room" (func $room)) (export "give" (func $give))
    (export "next" (func $next)) (export "fetch" (func $fetch)) (export "done" (func $done))))))
(func (export "open") (param "on" u32) (canon lift (core func $work "open")))
(func (export "drain") async (param "flow" $flow) (param "id" u64)
  (canon lift (core func $work "drain") async (callback (core func $work "on-drain"))))
(func (export "fill") async (param "end" u32) (param "id" u64)
  (canon lift (core func $work "fill") async (callback (core func $work "on-fill"))))
)
"#
        )
    }
}
