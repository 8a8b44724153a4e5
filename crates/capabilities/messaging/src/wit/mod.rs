//! The interfaces. What differs between them is in a file for each; what every message passes is here.

#[expect(unreachable_pub, reason = "generated code exports the resources")]
mod wasi;
mod wasmcloud;

use crate::{Error, Message, Messenger, Replies, Topic};
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wharf_kit::{Access, Granted, Label, Names, Payload, Tally};
use wharf_telemetry::clock;

/// Bytes of messages that one store holds for its guest. A guest pays for its own memory, but not for what the host keeps for it.
const HELD_BYTES_MAX: usize = 64 << 20;

/// What one store lends the adapters for one call.
pub struct View<'a> {
    /// What the component may touch.
    pub granted: &'a Arc<Granted<dyn Messenger>>,
    /// The numbers of the invocation.
    pub tally: &'a mut Tally,
    /// Clients, messages and options that the guest has.
    pub table: &'a mut ResourceTable,
    /// The bytes of those messages.
    pub held: &'a mut Held,
}

/// The bytes of the messages that a guest has handles to. Part of a store, one for each.
#[derive(Debug, Default)]
pub struct Held {
    bytes: usize,
}

/// Marks the data of this capability in a store.
struct Messaging;

impl HasData for Messaging {
    type Data<'a> = View<'a>;
}

/// Links every interface for messages.
///
/// # Errors
/// When one of their names is linked already.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    names: Names,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    wasi::add_to_linker(linker, names, view)?;
    wasmcloud::add_to_linker(linker, names, view)
}

/// Why a guest may not send with a label. Not told with the label's name, which is the guest's own and may be long.
#[derive(Debug, thiserror::Error)]
enum Denied {
    #[error("this messaging label is not granted to the component")]
    Label,
    #[error("the manifest grants reading of this messaging label, and not sending")]
    Write,
}

impl View<'_> {
    /// Returns a label to send with.
    fn label(&mut self, name: &str) -> Result<Arc<Label<dyn Messenger>>, Denied> {
        let label = self.granted.label(name, self.tally).ok_or(Denied::Label)?;
        if label.access == Access::Read {
            self.granted.refuse_write(label, self.tally);
            return Err(Denied::Write);
        }
        Ok(Arc::clone(label))
    }

    async fn send(&mut self, label: &Label<dyn Messenger>, topic: String, message: &Message) -> Result<(), Error> {
        let topic = self.check(label, topic, message)?;
        let call = label.store.send(&topic, message);
        label.gate.call(self.tally, "send", message.size_bytes(), Error::kind, call).await
    }

    /// Returns the replies that came within `timeout` and the label's own time, at least one.
    async fn request(
        &mut self,
        label: &Label<dyn Messenger>,
        topic: String,
        message: &Message,
        wanted: Wanted,
    ) -> Result<Vec<Message>, Error> {
        let topic = self.check(label, topic, message)?;
        let bounds = label.gate.bounds();
        let timeout = wanted.timeout.map_or(bounds.timeout, |timeout| timeout.min(bounds.timeout));
        let mut replies = Replies::new(wanted.replies, bounds.size_bytes);
        // Read before the gate reads its own, so that this deadline is the first of the two and what came by then is not lost.
        let deadline = clock::now() + timeout;
        let call = async {
            let asked = tokio::time::timeout_at(deadline.into(), label.store.request(&topic, message, &mut replies));
            match asked.await {
                Ok(Err(error)) => Err(error),
                Ok(Ok(())) => Ok(replies.into_messages()),
                Err(_) if replies.is_empty() => Err(wharf_kit::Refused::Deadline(timeout).into()),
                Err(_) => Ok(replies.into_messages()),
            }
        };
        label.gate.call(self.tally, "request", message.size_bytes(), Error::kind, call).await
    }

    fn check(&self, label: &Label<dyn Messenger>, topic: String, message: &Message) -> Result<Topic, Error> {
        let topic = Topic::new(topic)?;
        message.check()?;
        label.gate.check_size(message.size_bytes())?;
        Ok(topic)
    }
}

/// How many replies a guest waits for, and how long at most.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    replies: usize,
    timeout: Option<Duration>,
}

impl Held {
    /// Counts bytes that a handle has from now on instead of those it had.
    fn replace(&mut self, old: usize, new: usize) -> Result<(), wasmtime::Error> {
        let bytes = self.bytes.saturating_sub(old).saturating_add(new);
        if bytes > HELD_BYTES_MAX {
            let text =
                format!("the component holds messages of more than {HELD_BYTES_MAX} bytes: drop those that are sent");
            return Err(wasmtime::Error::msg(text));
        }
        self.bytes = bytes;
        Ok(())
    }

    fn release(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

#[cfg(test)]
mod tests;
