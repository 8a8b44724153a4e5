//! Stores of every backend, and everything that is logged meanwhile.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tempfile::TempDir;
use wharf_kit::{Binding, Bindings, Declared, Embedded, Namespace, Tally, UsageTable, Who};
use wharf_secrets::{Allowed, BACKENDS, BOUNDS, CAPABILITY, Error, LABEL, Revealed, SecretFile, Store, Value};
use wharf_testkit::BOUND;
use wharf_testkit::services::Vault;

/// Every value of these tests has this in it, so that one look at the log is enough.
pub(crate) const MARK: &str = "hunter2";

/// Secrets: an app, a name, a value.
pub(crate) type Secrets<'a> = &'a [(&'a str, &'a str, &'a str)];

/// Bindings whose backend has secrets.
pub(crate) struct Fixture {
    pub(crate) bindings: Bindings<dyn Store>,
    pub(crate) usage: UsageTable,
    _folder: TempDir,
    _vault: Option<Vault>,
}

impl Fixture {
    pub(crate) fn local(secrets: Secrets<'_>) -> Self {
        let folder = TempDir::new().unwrap();
        let set = file(&folder).change(|contents| {
            for (app, name, value) in secrets {
                contents.set(&Namespace::own(app, LABEL), name, text(value));
            }
        });
        set.unwrap();
        Self::new(folder, Declared::default(), None)
    }

    pub(crate) fn environment(secrets: Secrets<'_>) -> Self {
        let mut declared = Declared::default();
        for (app, name, value) in secrets {
            let key = ((*app).to_owned(), LABEL.to_owned());
            let binding = declared.app.entry(key).or_insert_with(|| bound("environment", toml::Table::new()));
            let values = binding.settings.entry("values").or_insert_with(|| toml::Table::new().into());
            values.as_table_mut().unwrap().insert((*name).to_owned(), (*value).into());
        }
        declared.every.insert(LABEL.to_owned(), bound("environment", "values = {}".parse().unwrap()));
        Self::new(TempDir::new().unwrap(), declared, None)
    }

    pub(crate) fn vault(secrets: Secrets<'_>) -> Self {
        let vault = Vault::start();
        for (app, name, value) in secrets {
            vault.put("secret", &format!("{app}/default/{name}"), serde_json::json!({ "value": value }));
        }
        let settings = format!("address = \"{}\"\ntoken = \"{}\"", vault.url(), Vault::TOKEN);
        Self::new(TempDir::new().unwrap(), everybody("vault", &settings), Some(vault))
    }

    fn new(folder: TempDir, declared: Declared, vault: Option<Vault>) -> Self {
        let bindings = bindings(&folder, declared);
        Self { bindings, usage: UsageTable::default(), _folder: folder, _vault: vault }
    }

    /// Returns what a component of an app has that is granted these.
    pub(crate) fn granted(&self, app: &str, names: &[&str]) -> Allowed {
        self.granted_with(app, names, &BTreeMap::new())
    }

    pub(crate) fn granted_with(&self, app: &str, names: &[&str], given: &BTreeMap<String, Value>) -> Allowed {
        let names = names.iter().map(|name| (*name).to_owned());
        Allowed::bind(&self.bindings, who(app), names, given, &self.usage).unwrap()
    }
}

/// Makes a module of tests for each backend, one test for each function.
macro_rules! for_every_backend {
    ($($case:ident),+ $(,)?) => {
        for_every_backend!(@ local $($case),+);
        for_every_backend!(@ environment $($case),+);
        for_every_backend!(@ vault $($case),+);
    };
    (@ $backend:ident $($case:ident),+) => {
        mod $backend {
            $(
                #[tokio::test]
                async fn $case() {
                    crate::fixture::listen();
                    super::$case(crate::fixture::Fixture::$backend).await;
                    crate::fixture::assert_silent();
                }
            )+
        }
    };
}
pub(crate) use for_every_backend;

pub(crate) fn who(app: &str) -> Who {
    Who { app: app.into(), component: "api".into() }
}

pub(crate) fn text(text: &str) -> Value {
    Value::text(text.to_owned().into())
}

pub(crate) fn file(folder: &TempDir) -> SecretFile {
    SecretFile::in_state(&Embedded::new(folder.path(), CAPABILITY))
}

pub(crate) fn bindings(folder: &TempDir, declared: Declared) -> Bindings<dyn Store> {
    Bindings::new(CAPABILITY, BACKENDS, BOUNDS, Embedded::new(folder.path(), CAPABILITY), declared)
}

/// Returns bindings of one backend for all apps.
pub(crate) fn everybody(backend: &str, settings: &str) -> Declared {
    let binding = bound(backend, settings.parse().unwrap());
    Declared { every: BTreeMap::from([(LABEL.to_owned(), binding)]), ..Declared::default() }
}

fn bound(backend: &str, settings: toml::Table) -> Binding {
    Binding { backend: backend.to_owned(), settings, ..Binding::default() }
}

/// Returns a secret as somebody may see it.
pub(crate) async fn get(allowed: &Allowed, name: &str) -> Result<String, Error> {
    let value = allowed.get(name, &mut Tally::default()).await?;
    Ok(match value.reveal() {
        Revealed::Text(text) => text.to_string(),
        Revealed::Bytes(bytes) => format!("{bytes:?}"),
    })
}

/// Waits until a secret is answered with what `is_it` says.
pub(crate) async fn gets(allowed: &Allowed, name: &str, mut is_it: impl FnMut(&Result<String, Error>) -> bool) {
    let attempts = async {
        loop {
            if is_it(&get(allowed, name).await) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(BOUND, attempts).await.expect("it is answered so in time");
}

static LOG: OnceLock<Arc<Mutex<Vec<u8>>>> = OnceLock::new();

struct Appends(Arc<Mutex<Vec<u8>>>);

impl Write for Appends {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Keeps everything that is logged in this process, by every crate, on all threads.
pub(crate) fn listen() {
    LOG.get_or_init(|| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&log);
        let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
        subscriber.with_writer(move || Appends(Arc::clone(&writer))).init();
        log
    });
}

/// Returns everything that was logged.
pub(crate) fn logged() -> String {
    String::from_utf8_lossy(&LOG.get().unwrap().lock().unwrap()).into_owned()
}

/// Nothing that was logged has a value in it, or the token.
pub(crate) fn assert_silent() {
    let log = logged();
    let told = log.lines().find(|line| line.contains(MARK) || line.contains(Vault::TOKEN));
    assert_eq!(told, None);
}
