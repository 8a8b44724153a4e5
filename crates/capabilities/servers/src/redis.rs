//! Redis, and servers that speak its protocol (Valkey, KeyDB, Dragonfly).
//!
//! In: [`Settings`]. Out: connections for the [`Links`](wharf_kit::Links) of a backend. Next: the server.

use crate::tls::{self, Pem, Tls};
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo,
    ProtocolVersion, PushInfo, PushKind, RedisError, ServerErrorKind, TlsCertificates,
};
use std::borrow::Cow;
use std::convert::Infallible;
use std::time::Duration;
use wharf_kit::{BackendError, Dial, Kind, Lost, NoConnection};

/// How a server is reached.
pub struct Settings {
    /// `redis://HOST[:PORT][/DATABASE]`, `rediss://` with TLS, or `unix:///PATH`. `?protocol=resp2` for servers before version 6.
    pub url: String,
    /// The user, unless the URL has one.
    pub username: Option<String>,
    /// The password, unless the URL has one.
    pub password: Option<String>,
    /// Whom to trust, and who we are, with `rediss://`.
    pub tls: Tls,
    /// How long a new connection may take.
    pub connect_timeout: Duration,
    /// How long the server may take to answer before its connection is given up.
    pub response_timeout: Duration,
}

/// What connections to one server are made with.
pub struct Dialer {
    capability: &'static str,
    client: Client,
    timeouts: AsyncConnectionConfig,
    place: String,
}

impl Dialer {
    /// Connects to nothing. `capability` is for the log.
    ///
    /// # Errors
    /// When the URL is none, or the certificates cannot be read. Never shows what may be a password.
    pub fn new(capability: &'static str, settings: &Settings) -> Result<Self, BackendError> {
        // The message of the crate may have the URL, and that the password.
        let info = settings.url.as_str().into_connection_info().map_err(|_| {
            let text = "`url` is not the URL of a Redis server, as in \"redis://127.0.0.1:6379\"";
            BackendError::Settings(text.to_owned())
        })?;
        let place = place(&info);
        let client = client(settings, info)?;
        let timeouts = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(settings.connect_timeout))
            .set_response_timeout(Some(settings.response_timeout));
        Ok(Self { capability, client, timeouts, place })
    }

    /// Returns what makes connections of other kinds, such as those that hear messages.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the database that the URL names.
    pub fn database(&self) -> i64 {
        self.client.get_connection_info().redis_settings().db()
    }
}

fn place(info: &ConnectionInfo) -> String {
    let scheme = match info.addr() {
        ConnectionAddr::TcpTls { .. } => "rediss",
        ConnectionAddr::Unix(_) => "unix",
        _ => "redis",
    };
    format!("{scheme}://{}", info.addr())
}

fn client(settings: &Settings, info: ConnectionInfo) -> Result<Client, BackendError> {
    let mut user = info.redis_settings().clone();
    if !settings.url.contains("protocol=") {
        // With it, the server's end of a connection is noticed when it happens and not with the next call.
        user = user.set_protocol(ProtocolVersion::RESP3);
    }
    if let Some(username) = &settings.username {
        user = user.set_username(username);
    }
    if let Some(password) = &settings.password {
        user = user.set_password(password);
    }
    // Without delay, as calls of many guests share the connection. The time-out ends connections to a machine that is gone.
    let tcp = TcpSettings::default().set_nodelay(true).set_user_timeout(settings.response_timeout);
    let info = info.set_redis_settings(user).set_tcp_settings(tcp);
    let tls = &settings.tls;
    let is_tls = matches!(info.addr(), ConnectionAddr::TcpTls { .. });
    tls.only_with(is_tls, "write `rediss://` in `url`")?;
    if is_tls {
        // Only to hear now of what cannot be used, and in our words.
        tls.config()?;
    }
    let client = if tls.is_set() { Client::build_with_tls(info, certificates(tls)?) } else { Client::open(info) };
    client
        .map_err(|error| BackendError::Settings(format!("the settings make no client of Redis: {}", error.category())))
}

/// Returns the settings as the crate takes them.
fn certificates(tls: &Tls) -> Result<TlsCertificates, BackendError> {
    let read = |pem: &Pem| pem.read().map(Cow::into_owned);
    let client_tls = match (&tls.certificate, &tls.key) {
        (Some(certificate), Some(key)) => {
            Some(ClientTlsConfig { client_cert: read(certificate)?, client_key: read(key)? })
        }
        _ => None,
    };
    Ok(TlsCertificates { client_tls, root_cert: tls.authorities.as_ref().map(read).transpose()? })
}

impl Dial for Dialer {
    type Connection = MultiplexedConnection;

    fn capability(&self) -> &'static str {
        self.capability
    }

    fn place(&self) -> &str {
        &self.place
    }

    async fn connect(&self, lost: Lost<Self>) -> Result<MultiplexedConnection, NoConnection> {
        let on_push = move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                lost.tell();
            }
            Ok::<_, Infallible>(())
        };
        let is_told = self.client.get_connection_info().redis_settings().protocol().supports_resp3();
        let timeouts = self.timeouts.clone();
        let timeouts = if is_told { timeouts.set_push_sender(on_push) } else { timeouts };
        self.client.get_multiplexed_async_connection_with_config(&timeouts).await.map_err(explain)
    }
}

/// Tells whether an error ends the connection that it came over.
pub fn is_lost(error: &RedisError) -> bool {
    error.is_io_error() || error.is_unrecoverable_error()
}

/// Returns what the guest is told of an error. The server's own words are for the log.
pub fn explain(error: RedisError) -> NoConnection {
    let (kind, why) = match (tls::explain(&error), away(&error)) {
        (Some(why), _) => (Kind::Backend, why),
        (None, Some(why)) => (Kind::Unavailable, why),
        (None, None) => (Kind::Backend, fault(&error)),
    };
    NoConnection { kind, why, source: Some(error.into()) }
}

fn away(error: &RedisError) -> Option<&'static str> {
    Some(match error.kind() {
        _ if error.is_timeout() => "the server does not answer in time",
        _ if error.is_connection_refusal() => "the server is not there",
        ErrorKind::Io => "the connection to the server is lost",
        ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::TryAgain
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::ReadOnly,
        ) => "the server is not ready",
        _ => return None,
    })
}

fn fault(error: &RedisError) -> &'static str {
    match (error.kind(), error.code()) {
        (ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm), _)
        | (_, Some("WRONGPASS" | "NOAUTH" | "NOPERM")) => "the server does not let the host in",
        (_, Some("OOM")) => "the server is full",
        (_, Some("MISCONF")) => "the server cannot write to its disk",
        (_, Some("WRONGTYPE")) => "the key has something that is no value",
        _ => "the server refuses",
    }
}
