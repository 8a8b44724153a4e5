use super::p01::wit::{self, Host, HostConnection, HostRows, HostTransaction};
use super::{Connection, View};
use crate::api::Database;
use crate::{BACKENDS, BOUNDS, CAPABILITY};
use std::sync::Arc;
use tempfile::TempDir;
use wasmtime::component::{Resource, ResourceTable};
use wharf_kit::{Access, Bindings, BoundsOverride, Declared, Embedded, Grant, Granted, Tally, UsageTable, Who};

/// What one component has.
struct Fixture {
    granted: Arc<Granted<dyn Database>>,
    tally: Tally,
    table: ResourceTable,
    _folder: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let embedded = Embedded::new(folder.path(), CAPABILITY);
        // The two share a database, as an operator could have it.
        let shared = wharf_kit::Binding {
            backend: "sqlite".to_owned(),
            namespace: Some("common".to_owned()),
            ..wharf_kit::Binding::default()
        };
        let every = ["orders", "report"].map(|label| (label.to_owned(), shared.clone())).into();
        let declared = Declared { every, ..Declared::default() };
        let bindings = Bindings::new(CAPABILITY, BACKENDS, BOUNDS, embedded, declared);
        let grant = |label: &str, access| {
            let bounds = BoundsOverride { size_bytes: Some(100_000), ..BoundsOverride::default() };
            Grant { label: label.to_owned(), access, bounds }
        };
        let grants = [grant("orders", Access::ReadWrite), grant("report", Access::Read)];
        let who = Who { app: "shop".into(), component: "api".into() };
        let granted = Granted::bind(&bindings, who, &grants, &UsageTable::default());
        let Ok(granted) = granted.map(Arc::new) else { panic!("both labels can be bound") };
        Self { granted, tally: Tally::default(), table: ResourceTable::new(), _folder: folder }
    }

    fn view(&mut self) -> View<'_> {
        View { granted: &self.granted, tally: &mut self.tally, table: &mut self.table }
    }

    async fn open(&mut self, label: &str) -> Result<u32, wit::Error> {
        self.view().open(label.to_owned()).await.unwrap().map(|connection| connection.rep())
    }

    async fn execute(&mut self, connection: u32, sql: &str, params: Vec<wit::Value>) -> Result<u64, wit::Error> {
        let connection = Resource::<Connection>::new_borrow(connection);
        HostConnection::execute(&mut self.view(), connection, sql.to_owned(), params).await.unwrap()
    }

    async fn count(&mut self, connection: u32) -> Result<usize, wit::Error> {
        let this = Resource::<Connection>::new_borrow(connection);
        let sql = "SELECT id FROM t".to_owned();
        let rows = HostConnection::query(&mut self.view(), this, sql, Vec::new()).await.unwrap()?;
        let borrowed = Resource::new_borrow(rows.rep());
        let found = self.view().next(borrowed, 100).await.unwrap()?.len();
        HostRows::drop(&mut self.view(), rows).await.unwrap();
        Ok(found)
    }

    async fn begin(&mut self, connection: u32, read_only: bool) -> Result<Resource<super::Open>, wit::Error> {
        let options = wit::TransactionOptions { isolation: wit::Isolation::Serializable, read_only };
        self.view().begin(Resource::new_borrow(connection), options).await.unwrap()
    }

    async fn add(&mut self, transaction: &Resource<super::Open>) -> Result<u64, wit::Error> {
        let this = Resource::new_borrow(transaction.rep());
        let sql = "INSERT INTO t (id) VALUES (1)".to_owned();
        HostTransaction::execute(&mut self.view(), this, sql, Vec::new()).await.unwrap()
    }
}

const TABLE: &str = "CREATE TABLE t (id BIGINT, word TEXT)";

#[tokio::test]
async fn a_label_that_is_not_granted_is_denied() {
    let mut fixture = Fixture::new();
    for label in ["users", "", "../orders", "Orders", "orders "] {
        assert!(matches!(fixture.open(label).await, Err(wit::Error::AccessDenied(_))), "{label}");
    }
    assert_eq!(fixture.tally.counts().denied, 5);
    assert!(fixture.open("orders").await.is_ok());
}

#[tokio::test]
async fn a_grant_to_read_reads_and_does_nothing_else() {
    let mut fixture = Fixture::new();
    let orders = fixture.open("orders").await.unwrap();
    fixture.execute(orders, TABLE, Vec::new()).await.unwrap();
    fixture.execute(orders, "INSERT INTO t (id) VALUES (1)", Vec::new()).await.unwrap();
    let report = fixture.open("report").await.unwrap();
    assert_eq!(fixture.count(report).await.unwrap(), 1);
    let refused = fixture.execute(report, "DELETE FROM t", Vec::new()).await;
    assert!(matches!(refused, Err(wit::Error::AccessDenied(_))), "{refused:?}");
    assert!(matches!(fixture.begin(report, false).await, Err(wit::Error::AccessDenied(_))));
    let transaction = fixture.begin(report, true).await.unwrap();
    assert!(matches!(fixture.add(&transaction).await, Err(wit::Error::AccessDenied(_))));
    HostTransaction::drop(&mut fixture.view(), transaction).await.unwrap();
    assert_eq!(fixture.count(report).await.unwrap(), 1);
    assert_eq!(fixture.tally.counts().denied, 3);
}

#[tokio::test]
async fn an_open_transaction_is_the_only_way_in() {
    let mut fixture = Fixture::new();
    let orders = fixture.open("orders").await.unwrap();
    fixture.execute(orders, TABLE, Vec::new()).await.unwrap();
    let transaction = fixture.begin(orders, false).await.unwrap();
    fixture.add(&transaction).await.unwrap();
    assert!(matches!(fixture.count(orders).await, Err(wit::Error::Closed(_))));
    assert!(matches!(fixture.begin(orders, false).await, Err(wit::Error::Closed(_))));
    HostTransaction::drop(&mut fixture.view(), transaction).await.unwrap();
    assert_eq!(fixture.count(orders).await.unwrap(), 0);

    let transaction = fixture.begin(orders, false).await.unwrap();
    fixture.add(&transaction).await.unwrap();
    fixture.view().commit(Resource::new_borrow(transaction.rep())).await.unwrap().unwrap();
    assert!(matches!(fixture.add(&transaction).await, Err(wit::Error::Closed(_))));
    assert_eq!(fixture.count(orders).await.unwrap(), 1);
}

#[tokio::test]
async fn a_store_that_is_dropped_takes_back_what_is_open() {
    let mut fixture = Fixture::new();
    let orders = fixture.open("orders").await.unwrap();
    fixture.execute(orders, TABLE, Vec::new()).await.unwrap();
    let transaction = fixture.begin(orders, false).await.unwrap();
    fixture.add(&transaction).await.unwrap();
    // As after a trap: nothing is closed in order.
    fixture.table = ResourceTable::new();
    let orders = fixture.open("orders").await.unwrap();
    assert_eq!(fixture.count(orders).await.unwrap(), 0);
    fixture.execute(orders, "INSERT INTO t (id) VALUES (2)", Vec::new()).await.unwrap();
    assert_eq!(fixture.count(orders).await.unwrap(), 1);
}

#[tokio::test]
async fn what_is_no_value_is_refused() {
    let mut fixture = Fixture::new();
    let orders = fixture.open("orders").await.unwrap();
    fixture.execute(orders, TABLE, Vec::new()).await.unwrap();
    for value in [
        wit::Value::Uuid("67e55044".to_owned()),
        wit::Value::Decimal("1; DROP TABLE t".to_owned()),
        wit::Value::Date(wit::Date { year: 2023, month: 2, day: 29 }),
        wit::Value::Time(wit::Time { hour: 24, minute: 0, second: 0, microsecond: 1 }),
        wit::Value::Instant(wit::Instant { seconds: 0, microseconds: 1_000_000 }),
    ] {
        let refused = fixture.execute(orders, "INSERT INTO t (word) VALUES ($1)", vec![value]).await;
        assert!(matches!(refused, Err(wit::Error::TypeMismatch(_))), "{refused:?}");
    }
    assert_eq!(fixture.count(orders).await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_over_the_size_is_refused() {
    let mut fixture = Fixture::new();
    let orders = fixture.open("orders").await.unwrap();
    fixture.execute(orders, TABLE, Vec::new()).await.unwrap();
    let large = vec![wit::Value::Text("x".repeat(100_000))];
    let refused = fixture.execute(orders, "INSERT INTO t (word) VALUES ($1)", large.clone()).await;
    assert!(matches!(refused, Err(wit::Error::Limit(_))), "{refused:?}");
    let half = wit::Statement { sql: "SELECT 1".to_owned(), params: vec![wit::Value::Text("x".repeat(60_000))] };
    let refused = fixture.view().batch(Resource::new_borrow(orders), vec![half.clone(), half]).await.unwrap();
    assert!(matches!(refused, Err(wit::Error::Limit(_))), "{refused:?}");
    assert_eq!(fixture.count(orders).await.unwrap(), 0);
}
