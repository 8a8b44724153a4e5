//! Databases of every backend, and the words that tests share.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use wharf_kit::{BackendError, Embedded, Namespace, Opened};
use wharf_sql::{BACKENDS, Call, Database, Error, Results, Row, Statement, Transaction, Value};
use wharf_telemetry::clock;
use wharf_testkit::BOUND;
use wharf_testkit::services::Postgres;

/// Settings with which nothing waits for a component for long.
pub(crate) const IMPATIENT: &str = "idle = \"100ms\"";

/// An open backend, and what is behind it.
pub(crate) struct Fixture {
    pub(crate) opened: Arc<dyn Opened<dyn Database>>,
    /// A query with the numbers from 1 to `$1` in one column.
    pub(crate) series: &'static str,
    /// A term over `n` that cannot be computed for 5000.
    pub(crate) fails_at_5000: &'static str,
    pub(crate) folder: TempDir,
    pub(crate) server: Option<Postgres>,
}

/// The user of the database that labels are bound to.
pub(crate) const USER: &str = "shop";
pub(crate) const PASSWORD: &str = "secret-of-shop";

impl Fixture {
    pub(crate) fn sqlite(settings: &str) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let opened = open("sqlite", settings, &folder).unwrap();
        let series = "WITH RECURSIVE s(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM s WHERE n < $1) SELECT n FROM s";
        let fails_at_5000 = "abs(CASE n WHEN 5000 THEN -9223372036854775808 ELSE n END)";
        Some(Self { opened, series, fails_at_5000, folder, server: None })
    }

    pub(crate) fn postgres(settings: &str) -> Option<Self> {
        let server = Postgres::start()?;
        Some(Self::with(server, settings))
    }

    /// With a server that runs already.
    pub(crate) fn with(server: Postgres, settings: &str) -> Self {
        server.sql(&format!("CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'"));
        server.sql(&format!("GRANT CREATE ON DATABASE postgres TO {USER}"));
        let folder = TempDir::new().unwrap();
        let url = url(&server);
        let opened = open("postgres", &format!("url = \"{url}\"\nshared-user = true\n{settings}"), &folder).unwrap();
        // Made row by row; a function after FROM is run to its end first.
        let series = "SELECT generate_series(1, $1::bigint) AS n";
        let fails_at_5000 = "1 / (n - 5000)";
        Self { opened, series, fails_at_5000, folder, server: Some(server) }
    }

    pub(crate) fn database(&self) -> Arc<dyn Database> {
        self.of(&Namespace::own("shop", "orders"))
    }

    pub(crate) fn of(&self, namespace: &Namespace) -> Arc<dyn Database> {
        self.opened.store(namespace).unwrap()
    }

    /// Returns a database with a table `t` that has a number and a text.
    pub(crate) async fn table(&self) -> Arc<dyn Database> {
        let database = self.database();
        execute(&*database, "CREATE TABLE t (id BIGINT PRIMARY KEY, word TEXT)", &[]).await;
        database
    }
}

pub(crate) fn url(server: &Postgres) -> String {
    format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/postgres", server.port())
}

pub(crate) fn open(
    backend: &str,
    settings: &str,
    folder: &TempDir,
) -> Result<Arc<dyn Opened<dyn Database>>, BackendError> {
    let backend = BACKENDS.iter().find(|known| known.name == backend).unwrap();
    (backend.open)(settings.parse().unwrap(), &Embedded::new(folder.path(), "sql"))
}

/// Makes a module of tests for each backend, one test for each function. `$settings` is what all of them are opened with.
macro_rules! for_every_backend {
    ($settings:expr; $($case:ident),+ $(,)?) => {
        for_every_backend!(@ sqlite $settings; $($case),+);
        for_every_backend!(@ postgres $settings; $($case),+);
    };
    (@ $backend:ident $settings:expr; $($case:ident),+) => {
        mod $backend {
            $(
                #[tokio::test]
                async fn $case() {
                    if let Some(fixture) = crate::fixture::Fixture::$backend($settings) {
                        super::$case(fixture).await;
                    }
                }
            )+
        }
    };
}
pub(crate) use for_every_backend;

/// A call with more time than it needs.
pub(crate) fn call() -> Call {
    within(BOUND)
}

pub(crate) fn within(timeout: Duration) -> Call {
    Call { timeout, deadline: clock::now() + timeout, read_only: false, size_bytes: 4 << 20 }
}

pub(crate) fn reading() -> Call {
    Call { read_only: true, ..call() }
}

pub(crate) fn statement(sql: &str, params: &[Value]) -> Statement {
    Statement { sql: sql.to_owned(), params: params.to_vec() }
}

pub(crate) async fn execute(database: &dyn Database, sql: &str, params: &[Value]) -> u64 {
    try_execute(database, sql, params).await.unwrap()
}

pub(crate) async fn try_execute(database: &dyn Database, sql: &str, params: &[Value]) -> Result<u64, Error> {
    database.execute(statement(sql, params), call()).await
}

pub(crate) async fn query(database: &dyn Database, sql: &str, params: &[Value]) -> Vec<Vec<Value>> {
    try_query(database, sql, params).await.unwrap()
}

pub(crate) async fn try_query(database: &dyn Database, sql: &str, params: &[Value]) -> Result<Vec<Vec<Value>>, Error> {
    all(database.query(statement(sql, params), call()).await?).await
}

/// The error of a query that has one.
pub(crate) async fn query_error(database: &dyn Database, sql: &str, call: Call) -> Error {
    match database.query(statement(sql, &[]), call).await {
        Err(error) => error,
        Ok(results) => all(results).await.expect_err(sql),
    }
}

/// All the rows that are left.
pub(crate) async fn all(mut results: Results) -> Result<Vec<Vec<Value>>, Error> {
    let mut rows = Vec::new();
    loop {
        let page = results.next(10_000, call()).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page.into_iter().map(|Row(values)| values));
    }
}

pub(crate) async fn begin(database: &dyn Database) -> Box<dyn Transaction> {
    database.begin(Default::default(), call()).await.unwrap()
}

pub(crate) async fn add(transaction: &mut dyn Transaction, id: i64) -> Result<u64, Error> {
    let add = statement("INSERT INTO t (id) VALUES ($1)", &[Value::Int64(id)]);
    transaction.execute(add, call()).await
}

/// The numbers of the table `t`.
pub(crate) async fn ids(database: &dyn Database) -> Vec<i64> {
    let rows = query(database, "SELECT id FROM t ORDER BY id", &[]).await;
    rows.into_iter().map(|row| number(&row[0])).collect()
}

pub(crate) fn number(value: &Value) -> i64 {
    match value {
        Value::Int64(number) => *number,
        other => panic!("{other:?} is no number"),
    }
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// Waits until `call` succeeds.
pub(crate) async fn recovers<T>(mut call: impl AsyncFnMut() -> Result<T, Error>) -> T {
    let attempts = async {
        loop {
            match call().await {
                Ok(value) => return value,
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    tokio::time::timeout(BOUND, attempts).await.expect("it recovers in time")
}
