//! Which statements are sent, and those that the server knows already.

use crate::api::Error;
use tokio_postgres::{Client, Statement};

/// Statements that a connection keeps.
const KEPT: usize = 64;

/// The longest text that is worth keeping.
pub(super) const KEPT_BYTES: usize = 8 * 1024;

/// What a component may run, by its first word. The user's rights on the server decide the rest.
const ALLOWED: [&str; 24] = [
    "ALTER", "ANALYSE", "ANALYZE", "CALL", "COMMENT", "CREATE", "DELETE", "DO", "DROP", "EXPLAIN", "GRANT", "INSERT",
    "LOCK", "MERGE", "REFRESH", "REINDEX", "REVOKE", "SELECT", "SHOW", "TABLE", "TRUNCATE", "UPDATE", "VALUES", "WITH",
];

/// What would end a transaction, stay on a connection that is shared, or speak another protocol.
const REFUSED: [&str; 29] = [
    "ABORT",
    "BEGIN",
    "CHECKPOINT",
    "CLOSE",
    "CLUSTER",
    "COMMIT",
    "COPY",
    "DEALLOCATE",
    "DECLARE",
    "DISCARD",
    "END",
    "EXECUTE",
    "FETCH",
    "IMPORT",
    "LISTEN",
    "LOAD",
    "MOVE",
    "NOTIFY",
    "PREPARE",
    "REASSIGN",
    "RELEASE",
    "RESET",
    "ROLLBACK",
    "SAVEPOINT",
    "SECURITY",
    "SET",
    "START",
    "UNLISTEN",
    "VACUUM",
];

/// Refuses what no component may run.
pub(super) fn check(sql: &str) -> Result<(), Error> {
    if sql.contains('\0') {
        return Err(Error::Syntax("a statement has no zero byte".to_owned()));
    }
    let word = first_word(sql).to_ascii_uppercase();
    match word.as_str() {
        "" => Err(Error::Syntax("there is no statement".to_owned())),
        word if ALLOWED.contains(&word) => Ok(()),
        word if REFUSED.contains(&word) => Err(Error::Forbidden(format!(
            "{word}: connections are shared, and transactions are opened with `connection.begin`"
        ))),
        _ => Err(Error::Syntax("this is no statement that is known here".to_owned())),
    }
}

/// Tells whether the number that the server says is one of rows that were changed, and not one of rows that were read.
fn changes(sql: &str) -> bool {
    match first_word(sql).to_ascii_uppercase().as_str() {
        "SELECT" | "VALUES" | "TABLE" | "SHOW" | "EXPLAIN" => false,
        "WITH" => {
            let text = sql.to_ascii_uppercase();
            ["INSERT", "UPDATE", "DELETE", "MERGE"].iter().any(|word| text.contains(word))
        }
        _ => true,
    }
}

/// Returns how many rows a statement changed.
pub(super) fn changed(sql: &str, told: u64) -> u64 {
    if changes(sql) { told } else { 0 }
}

/// Returns the word that a statement begins with, as the server sees it.
fn first_word(sql: &str) -> &str {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c', ';', '(']);
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.find(['\n', '\r']).map_or("", |end| &comment[end..]);
        } else if rest.starts_with("/*") {
            rest = after_comment(rest);
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
            // A longer name that only begins like a word.
            let is_name = rest[end..].starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
            return if is_name || end == 0 { if rest.is_empty() { "" } else { "?" } } else { &rest[..end] };
        }
    }
}

/// Returns what follows a comment, which may have others inside.
fn after_comment(text: &str) -> &str {
    let (bytes, mut depth, mut at) = (text.as_bytes(), 0, 0);
    while at < bytes.len() {
        match &bytes[at..bytes.len().min(at + 2)] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return &text[at..];
        }
    }
    ""
}

/// Statements that were prepared, the one that was used last at the end.
#[derive(Default)]
pub(super) struct Statements(Vec<(Box<str>, Statement)>);

impl Statements {
    /// Returns a prepared statement.
    pub(super) async fn prepare(&mut self, client: &Client, sql: &str) -> Result<Statement, tokio_postgres::Error> {
        if let Some(at) = self.0.iter().position(|(text, _)| **text == *sql) {
            let kept = self.0.remove(at);
            let statement = kept.1.clone();
            self.0.push(kept);
            return Ok(statement);
        }
        let statement = client.prepare(sql).await?;
        if sql.len() <= KEPT_BYTES {
            if self.0.len() == KEPT {
                self.0.remove(0);
            }
            self.0.push((sql.into(), statement.clone()));
        }
        Ok(statement)
    }

    /// Forgets all: the schema is another one.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_is_found_behind_everything() {
        for (sql, word) in [
            ("SELECT 1", "SELECT"),
            ("  \n\t;;(select 1)", "select"),
            ("-- COMMIT\nSELECT", "SELECT"),
            ("-- SELECT\rCOMMIT", "COMMIT"),
            ("/* /* SELECT */ */COMMIT", "COMMIT"),
            ("/* SELECT", ""),
            ("/**/--\n/*-- */END", "END"),
            ("SELECT/**/1", "SELECT"),
            ("COMMIT;", "COMMIT"),
            ("\u{b}\u{c}COMMIT", "COMMIT"),
            ("\u{a0}COMMIT", "?"),
            ("\"COMMIT\"", "?"),
            ("select_x", "?"),
            ("selectä", "?"),
            ("", ""),
            (" -- x", ""),
        ] {
            assert_eq!(first_word(sql), word, "{sql:?}");
        }
    }

    #[test]
    fn lists_are_sorted_and_have_nothing_in_common() {
        assert!(ALLOWED.is_sorted() && REFUSED.is_sorted());
        assert!(ALLOWED.iter().all(|word| !REFUSED.contains(word) && check(word).is_ok()));
        assert!(REFUSED.iter().all(|word| matches!(check(&format!("/**/{word} x")), Err(Error::Forbidden(_)))));
    }
}
