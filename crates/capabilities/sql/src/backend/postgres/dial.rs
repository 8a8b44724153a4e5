//! How connections are made and what they are made ready with, and how a statement is cancelled.

use super::error;
use super::frames::{Frames, Limit, Within};
use super::settings::{Checked, name};
use super::socket::Socket;
use super::statement::Statements;
use crate::api::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::AbortHandle;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;
use wharf_telemetry::clock;

/// What the server adds to our own patience, so that it is always us who end things, as long as we are there.
const SERVER_PATIENCE: Duration = Duration::from_secs(5);

/// The way to one schema.
pub(super) struct Dial {
    server: tokio_postgres::Config,
    tls: Option<MakeRustlsConnect>,
    schema: String,
    superuser: bool,
    connect_timeout: Duration,
    /// Where it is, for the log.
    pub(super) place: String,
}

/// A connection, and what is known on its server.
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) statements: Statements,
    pub(super) limit: Arc<Limit>,
    /// Since when nobody needs it.
    pub(super) idle_since: Instant,
    /// Whether plain statements ran on it since it was cleaned. The next plain one does not see what they leave, and any other one might:
    /// the last number that a table gave out, for example.
    pub(super) was_plain: bool,
    /// Whether nobody uses it, so that it may be left to end by itself.
    pub(super) is_idle: bool,
    driver: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.is_idle {
            // Closes the socket, whatever the server is doing.
            self.driver.abort();
        }
    }
}

impl Dial {
    pub(super) fn new(settings: &Checked, schema: String) -> Self {
        let mut server = settings.server.clone();
        let millis = (settings.lifetime + SERVER_PATIENCE).as_millis();
        // Settings from the start are what `RESET ALL` goes back to. The timeouts are for the time when this node is gone and the
        // server has not noticed.
        server.options(format!(
            "-c search_path=\"{schema}\" -c timezone=UTC -c statement_timeout={millis} \
             -c idle_in_transaction_session_timeout={millis}"
        ));
        server.application_name("wharf");
        Self {
            place: format!("{} schema {schema}", settings.place),
            server,
            tls: settings.tls.clone(),
            schema,
            superuser: settings.superuser,
            connect_timeout: settings.connect_timeout,
        }
    }

    /// Makes a connection.
    pub(super) async fn connect(&self) -> Result<Connection, Error> {
        match tokio::time::timeout(self.connect_timeout, self.connect_within()).await {
            Ok(result) => result,
            Err(_) => Err(Error::Unavailable("the database does not answer".to_owned())),
        }
    }

    async fn connect_within(&self) -> Result<Connection, Error> {
        let limit = Arc::<Limit>::default();
        let (socket, host) = self.socket().await?;
        let failed = |cause: tokio_postgres::Error| {
            let why = cause.as_db_error().map_or_else(|| cause.to_string(), |error| error.message().to_owned());
            tracing::debug!(place = self.place, why, "cannot log in");
            error::of_login(&cause)
        };
        #[expect(clippy::disallowed_methods, reason = "ends with its connection, of which a pool has a bounded number")]
        let (client, driver) = match self.tls.clone() {
            Some(mut tls) => {
                let connect = MakeTlsConnect::<Socket>::make_tls_connect(&mut tls, &host);
                let connect = connect.unwrap_or_else(|never| match never {});
                let within = Within { connect, limit: Arc::clone(&limit) };
                let (client, connection) = self.server.connect_raw(socket, within).await.map_err(failed)?;
                (client, tokio::spawn(connection).abort_handle())
            }
            None => {
                let socket = Frames::new(socket, Arc::clone(&limit));
                let (client, connection) = self.server.connect_raw(socket, NoTls).await.map_err(failed)?;
                (client, tokio::spawn(connection).abort_handle())
            }
        };
        let statements = Statements::default();
        let connection = Connection {
            client,
            statements,
            limit,
            idle_since: clock::now(),
            was_plain: false,
            is_idle: false,
            driver,
        };
        self.prepare(&connection.client).await.map_err(|cause| match cause {
            Trouble::Server(cause) => failed(cause),
            Trouble::Superuser => Error::Backend("the node's user of the database is a superuser".to_owned()),
        })?;
        Ok(connection)
    }

    /// Looks at who we are, and makes the schema if it is not there.
    async fn prepare(&self, client: &Client) -> Result<(), Trouble> {
        let schema = format!("\"{}\"", self.schema);
        let answer = client
            .simple_query(&format!(
                "SELECT bool_or(rolsuper), to_regnamespace('{schema}') IS NULL FROM pg_roles \
                 WHERE rolname IN (current_user, session_user)"
            ))
            .await?;
        let row = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some((row.get(0) == Some("t"), row.get(1) == Some("t"))),
            _ => None,
        });
        let (is_superuser, is_missing) = row.unwrap_or_default();
        if is_superuser && !self.superuser {
            tracing::error!(
                place = self.place,
                "the user of the database is a superuser, with whom components could do everything on the server: bind the label \
                 to another one, or write `superuser = true`"
            );
            return Err(Trouble::Superuser);
        }
        if is_missing {
            let made = client.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {schema}")).await;
            // Two that make it at once: one of them fails, and it is there.
            let is_race = |error: &tokio_postgres::Error| {
                error.code() == Some(&tokio_postgres::error::SqlState::UNIQUE_VIOLATION)
            };
            made.or_else(|error| if is_race(&error) { Ok(()) } else { Err(error) })?;
        }
        Ok(())
    }

    async fn socket(&self) -> Result<(Socket, String), Error> {
        let (hosts, ports) = (self.server.get_hosts().to_vec(), self.server.get_ports().to_vec());
        let mut last = String::new();
        for (index, host) in hosts.into_iter().enumerate() {
            let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
            let name = name(&host);
            match Socket::connect(host, port).await {
                Ok(socket) => return Ok((socket, name)),
                Err(error) => last = error.to_string(),
            }
        }
        tracing::debug!(place = self.place, why = last, "cannot connect");
        Err(Error::Unavailable("the database cannot be reached".to_owned()))
    }

    /// Ends what a connection does on the server.
    pub(super) async fn cancel(&self, connection: &Connection) {
        let token = connection.client.cancel_token();
        let cancel = async {
            let (socket, host) = self.socket().await?;
            let result = match self.tls.clone() {
                Some(mut tls) => {
                    let connect = MakeTlsConnect::<Socket>::make_tls_connect(&mut tls, &host);
                    token.cancel_query_raw(socket, connect.unwrap_or_else(|never| match never {})).await
                }
                None => token.cancel_query_raw(socket, NoTls).await,
            };
            result.map_err(|cause| error::of_login(&cause))
        };
        if !matches!(tokio::time::timeout(self.connect_timeout, cancel).await, Ok(Ok(()))) {
            // It ends by its own timeout, or notices that the connection is closed.
            tracing::debug!(place = self.place, "cannot cancel a statement");
        }
    }
}

enum Trouble {
    Server(tokio_postgres::Error),
    Superuser,
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Server(error)
    }
}
