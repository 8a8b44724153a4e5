//! `wasi:messaging@0.2.0-draft`: clients, messages, sending, and requests with replies.

use super::{Denied, Held, Messaging, View, Wanted};
use crate::{Error, Message, Messenger};
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::{Linker, Resource};
use wharf_kit::{Label, Names, Payload, Refused};

pub(super) mod generated {
    #![allow(missing_docs, unreachable_pub, reason = "generated")]
    wasmtime::component::bindgen!({
        path: "../../../wit/messaging-0.2.0-draft",
        world: "wasi:messaging/imports-request-reply",
        imports: {
            "wasi:messaging/producer.send": async | trappable,
            "wasi:messaging/request-reply.request": async | trappable,
            default: trappable,
        },
        with: {
            "wasi:messaging/types.client": super::Client,
            "wasi:messaging/types.message": super::Letter,
            "wasi:messaging/request-reply.request-options": super::Options,
        },
    });
}

use generated::wasi::messaging::{producer, request_reply, types};

pub(super) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    names: Names,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    types::add_to_linker_instance::<T, Messaging>(
        &mut linker.instance(&names.of("wasi:messaging/types@0.2.0-draft"))?,
        view,
    )?;
    producer::add_to_linker_instance::<T, Messaging>(
        &mut linker.instance(&names.of("wasi:messaging/producer@0.2.0-draft"))?,
        view,
    )?;
    request_reply::add_to_linker_instance::<T, Messaging>(
        &mut linker.instance(&names.of("wasi:messaging/request-reply@0.2.0-draft"))?,
        view,
    )
}

/// A guest's client: a label, until it is disconnected.
pub struct Client(Option<Arc<Label<dyn Messenger>>>);

/// A guest's message. Shared, so that one that is being sent is not copied.
pub struct Letter(Arc<Message>);

/// A guest's options of a request.
#[derive(Debug, Default)]
pub struct Options {
    timeout: Option<Duration>,
    replies: Option<usize>,
}

type Answer<T> = wasmtime::Result<Result<T, types::Error>>;

impl producer::Host for View<'_> {
    async fn send(&mut self, client: Resource<Client>, topic: String, message: Resource<Letter>) -> Answer<()> {
        let message = self.take(message)?;
        let label = match self.client(&client)? {
            Ok(label) => label,
            Err(error) => return Ok(Err(error)),
        };
        Ok(View::send(self, &label, topic, &message).await.map_err(types::Error::from))
    }
}

impl request_reply::Host for View<'_> {
    async fn request(
        &mut self,
        client: Resource<Client>,
        topic: String,
        message: Resource<Letter>,
        options: Option<Resource<Options>>,
    ) -> Answer<Vec<Resource<Letter>>> {
        let options = options.map(|options| self.table.delete(options)).transpose()?.unwrap_or_default();
        let message = Arc::clone(&self.table.get(&message)?.0);
        let label = match self.client(&client)? {
            Ok(label) => label,
            Err(error) => return Ok(Err(error)),
        };
        let wanted = Wanted { replies: options.replies.unwrap_or(1), timeout: options.timeout };
        match View::request(self, &label, topic, &message, wanted).await {
            Ok(replies) => Ok(Ok(replies.into_iter().map(|reply| self.give(reply)).collect::<Result<_, _>>()?)),
            Err(error) => Ok(Err(error.into())),
        }
    }

    fn reply(&mut self, _to: Resource<Letter>, message: Resource<Letter>) -> Answer<()> {
        self.take(message)?;
        Ok(Err(types::Error::Other("only a message that a handler got can be replied to".to_owned())))
    }
}

impl request_reply::HostRequestOptions for View<'_> {
    fn new(&mut self) -> wasmtime::Result<Resource<Options>> {
        Ok(self.table.push(Options::default())?)
    }

    fn set_timeout_ms(&mut self, options: Resource<Options>, timeout_ms: u32) -> wasmtime::Result<()> {
        self.table.get_mut(&options)?.timeout = Some(Duration::from_millis(timeout_ms.into()));
        Ok(())
    }

    fn set_expected_replies(&mut self, options: Resource<Options>, expected_replies: u32) -> wasmtime::Result<()> {
        self.table.get_mut(&options)?.replies = Some(usize::try_from(expected_replies)?);
        Ok(())
    }

    fn drop(&mut self, options: Resource<Options>) -> wasmtime::Result<()> {
        self.table.delete(options)?;
        Ok(())
    }
}

impl types::Host for View<'_> {}

impl types::HostClient for View<'_> {
    fn connect(&mut self, name: String) -> Answer<Resource<Client>> {
        match self.label(&name) {
            Ok(label) => Ok(Ok(self.table.push(Client(Some(label)))?)),
            Err(denied) => Ok(Err(denied.into())),
        }
    }

    fn disconnect(&mut self, client: Resource<Client>) -> Answer<()> {
        self.table.get_mut(&client)?.0 = None;
        Ok(Ok(()))
    }

    fn drop(&mut self, client: Resource<Client>) -> wasmtime::Result<()> {
        self.table.delete(client)?;
        Ok(())
    }
}

impl types::HostMessage for View<'_> {
    fn new(&mut self, data: Vec<u8>) -> wasmtime::Result<Resource<Letter>> {
        self.give(Message::new(data))
    }

    fn topic(&mut self, message: Resource<Letter>) -> wasmtime::Result<Option<String>> {
        // Messages that guests make have none yet, and replies come without one.
        self.table.get(&message)?;
        Ok(None)
    }

    fn content_type(&mut self, message: Resource<Letter>) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&message)?.0.content_type.clone())
    }

    fn set_content_type(&mut self, message: Resource<Letter>, content_type: String) -> wasmtime::Result<()> {
        self.change(&message, |message| message.content_type = Some(content_type))
    }

    fn data(&mut self, message: Resource<Letter>) -> wasmtime::Result<Vec<u8>> {
        Ok(self.table.get(&message)?.0.data.to_vec())
    }

    fn set_data(&mut self, message: Resource<Letter>, data: Vec<u8>) -> wasmtime::Result<()> {
        self.change(&message, |message| message.data = data.into())
    }

    fn metadata(&mut self, message: Resource<Letter>) -> wasmtime::Result<Option<Vec<(String, String)>>> {
        let metadata = &self.table.get(&message)?.0.metadata;
        Ok((!metadata.is_empty()).then(|| metadata.clone()))
    }

    fn add_metadata(&mut self, message: Resource<Letter>, key: String, value: String) -> wasmtime::Result<()> {
        self.change(&message, |message| message.set(key, value))
    }

    fn set_metadata(&mut self, message: Resource<Letter>, meta: Vec<(String, String)>) -> wasmtime::Result<()> {
        self.change(&message, |message| {
            message.metadata.clear();
            for (key, value) in meta {
                message.set(key, value);
            }
        })
    }

    fn remove_metadata(&mut self, message: Resource<Letter>, key: String) -> wasmtime::Result<()> {
        self.change(&message, |message| message.metadata.retain(|(known, _)| *known != key))
    }

    fn drop(&mut self, message: Resource<Letter>) -> wasmtime::Result<()> {
        self.take(message).map(drop)
    }
}

impl View<'_> {
    fn client(&mut self, client: &Resource<Client>) -> Answer<Arc<Label<dyn Messenger>>> {
        let label = self.table.get(client)?.0.clone();
        Ok(label.ok_or_else(|| types::Error::Connection("the client was disconnected".to_owned())))
    }

    /// Gives a message to the guest.
    fn give(&mut self, message: Message) -> wasmtime::Result<Resource<Letter>> {
        self.held.replace(0, message.held_bytes())?;
        Ok(self.table.push(Letter(Arc::new(message)))?)
    }

    /// Takes a message from the guest.
    fn take(&mut self, message: Resource<Letter>) -> wasmtime::Result<Arc<Message>> {
        let Letter(message) = self.table.delete(message)?;
        self.held.release(message.held_bytes());
        Ok(message)
    }

    fn change(&mut self, message: &Resource<Letter>, change: impl FnOnce(&mut Message)) -> wasmtime::Result<()> {
        let Letter(message) = self.table.get_mut(message)?;
        // Only while it is being sent has somebody else a hold on it, and the guest cannot call then.
        let message = Arc::make_mut(message);
        let old = message.held_bytes();
        change(message);
        Held::replace(self.held, old, message.held_bytes())
    }
}

/// Bytes that a pair of texts takes besides the texts.
const PAIR_BYTES: usize = size_of::<(String, String)>();

impl Message {
    /// Returns what it takes to keep the message, which is more than what is sent when it has much metadata.
    fn held_bytes(&self) -> usize {
        self.size_bytes() + size_of::<Self>() + self.metadata.len() * PAIR_BYTES
    }
}

impl From<Denied> for types::Error {
    fn from(denied: Denied) -> Self {
        Self::PermissionDenied(denied.to_string())
    }
}

impl From<Error> for types::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(Refused::Deadline(_) | Refused::Busy(_)) => Self::Timeout,
            Error::Unavailable { .. } | Error::Refused(Refused::Fault { kind: wharf_kit::Kind::Unavailable, .. }) => {
                Self::Connection(error.to_string())
            }
            _ => Self::Other(error.to_string()),
        }
    }
}
