//! PostgreSQL: a schema for each label, and a few connections for each core.
//!
//! In: statements of [`crate::api`]. Out: their results. Next: [`pool`], then [`session`], a task for each use of a connection.

mod batch;
mod dial;
mod error;
mod frames;
mod plain;
mod pool;
mod query;
mod session;
mod settings;
mod socket;
mod statement;
mod transaction;
mod value;

use crate::api::{Call, Database, Error, Options, Results, Statement, Transaction};
use async_trait::async_trait;
use dial::Dial;
use pool::Pool;
use session::Patience;
use settings::Config;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use wharf_kit::{Backend, BackendError, Embedded, Namespace, Opened, PerThread, settings};

/// The entry of the list.
pub(super) const BACKEND: Backend<dyn Database> = Backend {
    name: "postgres",
    summary: "a PostgreSQL server, a schema for each label",
    durability: "That of the server: with its own defaults an acknowledged write survives a loss of power there. A write without an \
                 answer may have happened.",
    example: "backend = \"postgres\"\nurl = \"postgres://shop_orders@db.example/shop\"\npassword = \"the user's\"\n",
    open,
};

/// The longest name of a schema: the server cuts longer ones, and two would become one.
const SCHEMA_BYTES_MAX: usize = 63;

fn open(table: toml::Table, _: &Embedded) -> Result<Arc<dyn Opened<dyn Database>>, BackendError> {
    let config: Config = settings(table)?;
    Ok(Arc::new(Postgres { config: config.check()?, schemas: Mutex::default() }))
}

struct Postgres {
    config: settings::Checked,
    /// What the user of the database has.
    schemas: Mutex<BTreeSet<String>>,
}

/// Returns the schema of a namespace. No two have the same: only own ones have a dot, and one only.
fn schema(namespace: &Namespace) -> Result<String, BackendError> {
    let name = match namespace.app() {
        Some(app) => format!("{app}.{}", namespace.name()),
        None => namespace.name().to_owned(),
    };
    if name.len() > SCHEMA_BYTES_MAX {
        let why = format!("`{name}` is too long for the name of a schema: bind the label with a `namespace`");
        return Err(BackendError::Settings(why));
    }
    Ok(name)
}

impl Opened<dyn Database> for Postgres {
    fn store(&self, namespace: &Namespace) -> Result<Arc<dyn Database>, BackendError> {
        let schema = schema(namespace)?;
        let mut schemas = self.schemas.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever can write SQL can name every schema: only the rights of the user keep a label from another one.
        if let Some(other) = schemas.iter().find(|other| **other != schema && !self.config.shared_user) {
            let why = format!(
                "its user of the database has `{other}` already, and `{schema}` would be open to it: bind each label to a user of its \
                 own, or write `shared-user = true` if these components may see each other's data"
            );
            return Err(BackendError::Settings(why));
        }
        schemas.insert(schema.clone());
        let dial = Arc::new(Dial::new(&self.config, schema));
        let patience = Patience { idle: self.config.idle, lifetime: self.config.lifetime };
        Ok(Arc::new(Schema { dial, size: self.config.connections, pools: PerThread::default(), patience }))
    }

    fn place(&self, namespace: &Namespace) -> String {
        format!("{} schema {}", self.config.place, schema(namespace).unwrap_or_default())
    }
}

/// One schema.
struct Schema {
    dial: Arc<Dial>,
    /// Connections of each core.
    size: usize,
    pools: PerThread<Arc<Pool>>,
    patience: Patience,
}

impl Schema {
    fn pool(&self) -> Arc<Pool> {
        let make = || Ok::<_, std::convert::Infallible>(Arc::new(Pool::new(Arc::clone(&self.dial), self.size)));
        self.pools.get_or_try_make(make).unwrap_or_else(|never| match never {})
    }
}

#[async_trait]
impl Database for Schema {
    async fn query(&self, statement: Statement, call: Call) -> Result<Results, Error> {
        statement::check(&statement.sql)?;
        let lease = self.pool().lease(plain::is_plain(&statement.sql), call).await?;
        query::query(lease, statement, call, self.patience).await
    }

    async fn execute(&self, statement: Statement, call: Call) -> Result<u64, Error> {
        call.check_write()?;
        statement::check(&statement.sql)?;
        let lease = self.pool().lease(plain::is_plain(&statement.sql), call).await?;
        query::execute(lease, statement, call).await
    }

    async fn batch(&self, statements: Vec<Statement>, call: Call) -> Result<Vec<u64>, Error> {
        call.check_write()?;
        statements.iter().try_for_each(|statement| statement::check(&statement.sql))?;
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        let is_plain = statements.iter().all(|statement| plain::is_plain(&statement.sql));
        let lease = self.pool().lease(is_plain, call).await?;
        batch::batch(lease, statements, call).await
    }

    async fn begin(&self, options: Options, call: Call) -> Result<Box<dyn Transaction>, Error> {
        if !options.read_only {
            call.check_write()?;
        }
        let lease = self.pool().lease(false, call).await?;
        Ok(Box::new(transaction::begin(lease, options, call, self.patience).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_namespaces_have_one_schema() {
        let name = |namespace| schema(&namespace).unwrap();
        assert_eq!(name(Namespace::own("shop", "orders")), "shop.orders");
        assert_eq!(name(Namespace::shared("orders")), "orders");
        assert_ne!(name(Namespace::own("a_b", "c")), name(Namespace::own("a", "b_c")));
        assert!(schema(&Namespace::own(&"a".repeat(40), &"b".repeat(40))).is_err());
    }
}
