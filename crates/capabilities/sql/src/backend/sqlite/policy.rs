//! What a component may do with its database, and how large things may be.

use rusqlite::Connection;
use rusqlite::hooks::AuthAction;
use rusqlite::limits::Limit;

/// Why a statement was refused, for its component.
pub(super) type Refusal = String;

/// Settings that only tell something, with any argument.
const PRAGMAS_READ: [&str; 15] = [
    "collation_list",
    "data_version",
    "foreign_key_check",
    "foreign_key_list",
    "freelist_count",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "page_count",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// Settings of the file that belong to its owner, or of a transaction.
const PRAGMAS_WRITE: [&str; 4] = ["application_id", "defer_foreign_keys", "optimize", "user_version"];

/// Settings that may be looked at.
const PRAGMAS_GET: [&str; 8] = [
    "encoding",
    "foreign_keys",
    "journal_mode",
    "max_page_count",
    "page_size",
    "query_only",
    "schema_version",
    "synchronous",
];

/// Modules of virtual tables that keep what they have in the same file.
const MODULES: [&str; 6] = ["fts3", "fts4", "fts5", "fts5vocab", "rtree", "rtree_i32"];

const TEMP: &str = "TEMP: connections are shared, and nothing stays on them";

/// Returns why an action is refused. Nothing if it is not.
pub(super) fn refusal(action: &AuthAction<'_>, database: Option<&str>) -> Option<Refusal> {
    let is_temp = database.is_some_and(|name| name.eq_ignore_ascii_case("temp"));
    let refusal = match action {
        // The long way to say TEMP.
        AuthAction::CreateTable { .. }
        | AuthAction::CreateView { .. }
        | AuthAction::CreateTrigger { .. }
        | AuthAction::CreateIndex { .. }
        | AuthAction::CreateVtable { .. }
            if is_temp =>
        {
            TEMP.to_owned()
        }
        AuthAction::Attach { .. } => "ATTACH and VACUUM: a label is one database".to_owned(),
        AuthAction::Detach { .. } => "DETACH: a label is one database".to_owned(),
        AuthAction::Transaction { .. } => "BEGIN, COMMIT and ROLLBACK: use `connection.begin`".to_owned(),
        AuthAction::Savepoint { .. } => "SAVEPOINT: a transaction has no others inside".to_owned(),
        AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. } => TEMP.to_owned(),
        AuthAction::Pragma { pragma_name, pragma_value } if !may_pragma(pragma_name, pragma_value.is_some()) => {
            format!("PRAGMA {pragma_name}")
        }
        AuthAction::Function { function_name: name @ ("load_extension" | "fts3_tokenizer") } => format!("{name}()"),
        AuthAction::CreateVtable { module_name, .. } if !is_one_of(&MODULES, module_name) => {
            format!("CREATE VIRTUAL TABLE … USING {module_name}")
        }
        AuthAction::Unknown { .. } => "a statement that is not known here".to_owned(),
        _ => return None,
    };
    Some(refusal)
}

fn may_pragma(name: &str, has_value: bool) -> bool {
    is_one_of(&PRAGMAS_READ, name) || is_one_of(&PRAGMAS_WRITE, name) || (!has_value && is_one_of(&PRAGMAS_GET, name))
}

fn is_one_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Sets the limits that do not depend on the call.
pub(super) fn limit(connection: &Connection) -> rusqlite::Result<()> {
    for (limit, value) in [
        // A file is one database.
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        // Threads of the engine's own would not be counted by anybody.
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
        // A text is parsed in one go, which nothing interrupts.
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 1 << 20),
        // As many as PostgreSQL has in a table, more or less.
        (Limit::SQLITE_LIMIT_COLUMN, 1600),
        // The parser and the code generator recurse.
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 500),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 500),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 100),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG, 127),
        // A pattern is tried at each place of a text, which nothing interrupts.
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 256),
        (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 32_766),
    ] {
        connection.set_limit(limit, value)?;
    }
    Ok(())
}
