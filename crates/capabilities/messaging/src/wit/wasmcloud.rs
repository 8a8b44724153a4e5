//! `wasmcloud:messaging@0.2.0`, which many published components import. It has no names for what it sends with: its messages go to the
//! label `default`.

use super::{Messaging, View, Wanted};
use crate::Message;
use std::time::Duration;
use wasmtime::component::Linker;
use wharf_kit::Names;

pub(super) mod generated {
    #![allow(missing_docs, unreachable_pub, reason = "generated")]
    wasmtime::component::bindgen!({
        path: "../../../wit/wasmcloud-messaging-0.2.0",
        world: "wasmcloud:messaging/imports",
        imports: { default: async | trappable },
    });
}

use generated::wasmcloud::messaging::consumer;
use generated::wasmcloud::messaging::types::{self, BrokerMessage};

/// The label of components that name none.
const LABEL: &str = "default";

pub(super) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    names: Names,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    types::add_to_linker_instance::<T, Messaging>(
        &mut linker.instance(&names.of("wasmcloud:messaging/types@0.2.0"))?,
        view,
    )?;
    consumer::add_to_linker_instance::<T, Messaging>(
        &mut linker.instance(&names.of("wasmcloud:messaging/consumer@0.2.0"))?,
        view,
    )
}

impl types::Host for View<'_> {}

impl consumer::Host for View<'_> {
    async fn request(
        &mut self,
        subject: String,
        body: Vec<u8>,
        timeout_ms: u32,
    ) -> wasmtime::Result<Result<BrokerMessage, String>> {
        let label = match self.label(LABEL) {
            Ok(label) => label,
            Err(denied) => return Ok(Err(denied.to_string())),
        };
        let wanted = Wanted { replies: 1, timeout: Some(Duration::from_millis(timeout_ms.into())) };
        let replies = View::request(self, &label, subject.clone(), &Message::new(body), wanted).await;
        let reply = replies.map(|replies| replies.into_iter().next().unwrap_or_default());
        let message = |reply: Message| BrokerMessage { subject, body: reply.data.to_vec(), reply_to: None };
        Ok(reply.map(message).map_err(|error| error.to_string()))
    }

    async fn publish(&mut self, message: BrokerMessage) -> wasmtime::Result<Result<(), String>> {
        let label = match self.label(LABEL) {
            Ok(label) => label,
            Err(denied) => return Ok(Err(denied.to_string())),
        };
        if message.reply_to.is_some() {
            return Ok(Err("`reply-to` is not supported: use `request`, which waits for the reply".to_owned()));
        }
        let sent = View::send(self, &label, message.subject, &Message::new(message.body)).await;
        Ok(sent.map_err(|error| error.to_string()))
    }
}
