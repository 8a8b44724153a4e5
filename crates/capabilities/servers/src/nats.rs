//! NATS servers and clusters.
//!
//! In: [`Settings`]. Out: a client, and word of its end. Next: the server.

use crate::tls::{self, Tls};
use async_nats::rustls::ClientConfig;
use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, ServerAddr, ServerError};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use wharf_kit::{BackendError, Kind, NoConnection};

/// A machine that is gone is noticed after two of them.
const PING: Duration = Duration::from_secs(5);

const LATE: &str = "the server does not answer in time";

/// How a server is reached.
pub struct Settings {
    /// `nats://HOST:PORT`, or `tls://` with TLS; several are separated by commas.
    pub url: String,
    /// The user.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<String>,
    /// A token, instead of a user and a password.
    pub token: Option<String>,
    /// A file with credentials, as `nsc` makes them.
    pub credentials: Option<PathBuf>,
    /// Whom to trust, and who we are. Setting any of it wants TLS, as `tls://` does.
    pub tls: Tls,
    /// How long a new connection may take.
    pub connect_timeout: Duration,
}

/// What connections to one server or cluster are made with.
pub struct Dialer {
    place: String,
    addresses: Vec<ServerAddr>,
    /// What is in the file of credentials.
    credentials: Option<String>,
    /// With what, when TLS is wanted; a server may ask for it too.
    tls: Option<ClientConfig>,
    settings: Settings,
}

/// A connection.
pub struct Connected {
    /// What speaks over it.
    pub client: Client,
    /// Closed when the connection is lost: the client would let calls wait for their answers until the end of their time.
    pub end: watch::Receiver<()>,
}

impl Dialer {
    /// Connects to nothing, and reads the file of credentials.
    ///
    /// # Errors
    /// When the URL is none, or the credentials or certificates cannot be read. Never shows what may be a password.
    pub fn new(settings: Settings) -> Result<Self, BackendError> {
        let addresses = settings.url.split(',').map(|url| url.trim().parse::<ServerAddr>());
        // The message of the crate may have the URL, and that the password.
        let addresses = addresses.collect::<Result<Vec<_>, _>>().map_err(|_| {
            BackendError::Settings("`url` is not the URL of a NATS server, as in \"nats://127.0.0.1:4222\"".to_owned())
        })?;
        let credentials = settings.credentials.as_ref().map(|path| {
            let read = std::fs::read_to_string(path);
            read.map_err(|error| BackendError::Open { path: path.clone(), source: error.into() })
        });
        let places: Vec<String> = addresses
            .iter()
            .map(|address| format!("{}://{}:{}", address.scheme(), address.host(), address.port()))
            .collect();
        // One that is wanted for one address is wanted for all of them, also for those that a cluster tells: what is sent has a password.
        let is_wanted = settings.tls.is_set() || addresses.iter().any(ServerAddr::tls_required);
        let tls = if is_wanted { Some(settings.tls.config()?) } else { None };
        Ok(Self { place: places.join(","), credentials: credentials.transpose()?, addresses, tls, settings })
    }

    /// Returns where it connects to, without a password.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Connects, in bounded time. `set` adds what a capability needs to the options, `lost` is called once when the connection is lost, and
    /// `refused` with what the server says of what it did not take.
    ///
    /// # Errors
    /// When there is no server, or it does not let the host in.
    pub async fn connect(
        &self,
        set: impl FnOnce(ConnectOptions) -> ConnectOptions,
        lost: impl FnOnce() + Send + 'static,
        refused: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Connected, NoConnection> {
        let (tell, end) = watch::channel(());
        // Taken by the first event that ends the connection.
        let open = Mutex::new(Some((tell, lost)));
        let options = set(self.options()?).event_callback(move |event| {
            match event {
                Event::Disconnected | Event::Closed => {
                    let open = open.lock().unwrap_or_else(PoisonError::into_inner).take();
                    if let Some((_, lost)) = open {
                        lost();
                    }
                }
                Event::ServerError(ServerError::Other(text)) => refused(&text),
                _ => {}
            }
            std::future::ready(())
        });
        let connecting = options.connect(&*self.addresses);
        let connected = tokio::time::timeout(self.settings.connect_timeout, connecting).await;
        let late = |elapsed: tokio::time::error::Elapsed| no(Kind::Unavailable, LATE, elapsed);
        Ok(Connected { client: connected.map_err(late)?.map_err(not_connected)?, end })
    }

    fn options(&self) -> Result<ConnectOptions, NoConnection> {
        let settings = &self.settings;
        let mut options = ConnectOptions::new()
            .name("wharf")
            .connection_timeout(settings.connect_timeout)
            // A lost connection is replaced by a new client: this one would send later what calls were told to have failed.
            .max_reconnects(self.addresses.len())
            .ping_interval(PING);
        if let Some(tls) = &self.tls {
            options = options.require_tls(true).tls_client_config(tls.clone());
        }
        if let Some(token) = &settings.token {
            options = options.token(token.clone());
        }
        if let Some(username) = &settings.username {
            options = options.user_and_password(username.clone(), settings.password.clone().unwrap_or_default());
        }
        if let Some(credentials) = &self.credentials {
            let bad = |error: std::io::Error| no(Kind::Backend, "the host's credentials are damaged", error);
            options = options.credentials(credentials).map_err(bad)?;
        }
        Ok(options)
    }
}

/// Returns why there is no connection.
fn not_connected(error: ConnectError) -> NoConnection {
    if let Some(why) = tls::explain(&error) {
        return no(Kind::Backend, why, error);
    }
    match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            no(Kind::Backend, "the server does not let the host in", error)
        }
        ConnectErrorKind::TimedOut => no(Kind::Unavailable, LATE, error),
        _ => no(Kind::Unavailable, "the server is not there", error),
    }
}

fn no(kind: Kind, why: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> NoConnection {
    NoConnection { kind, why, source: Some(Box::new(source)) }
}
