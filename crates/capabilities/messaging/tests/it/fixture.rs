//! A backend with its server, and what tests do with labels.

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use wharf_kit::{Binding, Bindings, BoundsOverride, Declared, Embedded};
use wharf_messaging::{BOUNDS, CAPABILITY, Delivery, Error, Filter, Message, Messenger, Replies, Subscription, Topic};
use wharf_testkit::services::{Daemon, Mqtt, Nats, Redis};

/// Far more than anything takes, so that a test ends that would hang.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// Long enough for a stray message to come over loopback.
pub(crate) const SOON: Duration = Duration::from_millis(200);

pub(crate) enum Server {
    Nats(Nats),
    Mqtt(Mqtt),
    Redis(Redis),
}

impl Deref for Server {
    type Target = Daemon;

    fn deref(&self) -> &Daemon {
        match self {
            Self::Nats(server) => server,
            Self::Mqtt(server) => server,
            Self::Redis(server) => server,
        }
    }
}

/// A backend as an operator binds it.
pub(crate) struct Backend {
    pub(crate) name: &'static str,
    pub(crate) settings: String,
    pub(crate) has_metadata: bool,
    pub(crate) has_requests: bool,
    pub(crate) server: Option<Server>,
}

pub(crate) fn broker() -> Option<Backend> {
    Some(Backend { name: "broker", settings: String::new(), has_metadata: true, has_requests: true, server: None })
}

pub(crate) fn nats() -> Option<Backend> {
    nats_on(Nats::start()?)
}

pub(crate) fn nats_on(server: Nats) -> Option<Backend> {
    let settings = format!("url = \"nats://127.0.0.1:{}\"\n", server.port());
    Some(Backend { name: "nats", settings, has_metadata: true, has_requests: true, server: Some(Server::Nats(server)) })
}

pub(crate) fn mqtt() -> Option<Backend> {
    mqtt_on(Mqtt::start()?)
}

pub(crate) fn mqtt_on(server: Mqtt) -> Option<Backend> {
    let settings = format!("url = \"mqtt://127.0.0.1:{}\"\n", server.port());
    Some(Backend { name: "mqtt", settings, has_metadata: true, has_requests: true, server: Some(Server::Mqtt(server)) })
}

pub(crate) fn redis() -> Option<Backend> {
    redis_on(Redis::start()?)
}

pub(crate) fn redis_on(server: Redis) -> Option<Backend> {
    let settings = format!("url = \"redis://127.0.0.1:{}\"\n", server.port());
    let server = Some(Server::Redis(server));
    Some(Backend { name: "redis", settings, has_metadata: false, has_requests: false, server })
}

impl Backend {
    /// Adds a line of settings.
    #[must_use]
    pub(crate) fn with(mut self, line: &str) -> Self {
        self.settings.push_str(line);
        self.settings.push('\n');
        self
    }

    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().expect("this backend has a server")
    }

    /// Returns bindings of the labels `orders`, `other` and `common`, the latter shared by all apps.
    pub(crate) fn bindings(&self) -> Bindings<dyn Messenger> {
        let settings: toml::Table = self.settings.parse().unwrap();
        let binding = |namespace: Option<&str>| Binding {
            backend: self.name.to_owned(),
            namespace: namespace.map(str::to_owned),
            settings: settings.clone(),
            ..Binding::default()
        };
        let mut declared = Declared::default();
        for (label, namespace) in [("orders", None), ("other", None), ("common", Some("common"))] {
            declared.every.insert(label.to_owned(), binding(namespace));
        }
        let embedded = Embedded::new(Path::new("unused"), CAPABILITY);
        Bindings::new(CAPABILITY, wharf_messaging::backend::BACKENDS, BOUNDS, embedded, declared)
    }

    /// Returns the messenger of the app `shop` and the label `orders`.
    pub(crate) fn messenger(&self) -> Arc<dyn Messenger> {
        bind(&self.bindings(), "shop", "orders")
    }
}

pub(crate) fn bind(bindings: &Bindings<dyn Messenger>, app: &str, label: &str) -> Arc<dyn Messenger> {
    bindings.bind(app, label, BoundsOverride::default()).unwrap().store
}

pub(crate) fn topic(text: &str) -> Topic {
    Topic::new(text).unwrap()
}

pub(crate) async fn subscribe(messenger: &Arc<dyn Messenger>, filter: &str) -> Subscription {
    messenger.subscribe(&Filter::new(filter).unwrap()).await.unwrap()
}

pub(crate) async fn send(messenger: &Arc<dyn Messenger>, name: &str, message: Message) -> Result<(), Error> {
    timeout(LONG, messenger.send(&topic(name), &message)).await.expect("sending ends")
}

/// Asks for so many replies, of 1 KiB together.
pub(crate) async fn ask(messenger: &Arc<dyn Messenger>, wanted: usize) -> Result<Vec<Message>, Error> {
    let mut replies = Replies::new(wanted, 1024);
    timeout(LONG, messenger.request(&topic("ask"), &Message::new("?"), &mut replies)).await.expect("asking ends")?;
    Ok(replies.into_messages())
}

pub(crate) async fn next(subscription: &mut Subscription) -> Delivery {
    timeout(LONG, subscription.next()).await.expect("a message comes").expect("the subscription goes on")
}

pub(crate) async fn data(subscription: &mut Subscription) -> Vec<u8> {
    next(subscription).await.message.data.to_vec()
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !is_so().await {
        assert!(Instant::now() < end, "{what} did not happen");
        sleep(Duration::from_millis(20)).await;
    }
}
