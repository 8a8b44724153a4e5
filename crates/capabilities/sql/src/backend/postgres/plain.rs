//! Which statements cannot change anything of their connection, so that there is nothing to undo after them.
//!
//! This is seen in the text, and only where there is no doubt: what is not recognised is cleaned up after, which costs a round trip. What
//! could change a session is a function (`set_config`, `pg_advisory_lock`, one of the app's own), a temporary table, or a command that is
//! none of those here.

use super::statement::KEPT_BYTES;

const FIRST: [&str; 6] = ["DELETE", "INSERT", "SELECT", "UPDATE", "VALUES", "WITH"];

/// Words that a parenthesis follows which are no functions, and functions of the server that only compute.
const BEFORE_PARENTHESIS: [&str; 80] = [
    "ABS",
    "ALL",
    "AND",
    "ANY",
    "ARRAY",
    "ARRAY_AGG",
    "AS",
    "AVG",
    "BETWEEN",
    "BOOL_AND",
    "BOOL_OR",
    "BY",
    "CAST",
    "CEIL",
    "CEILING",
    "CHAR",
    "CHAR_LENGTH",
    "COALESCE",
    "CONCAT",
    "CONFLICT",
    "COUNT",
    "DATE_TRUNC",
    "DECIMAL",
    "DENSE_RANK",
    "DISTINCT",
    "ELSE",
    "EXCEPT",
    "EXISTS",
    "EXTRACT",
    "FILTER",
    "FLOOR",
    "FROM",
    "GENERATE_SERIES",
    "GEN_RANDOM_UUID",
    "GREATEST",
    "HAVING",
    "IN",
    "INTERSECT",
    "JOIN",
    "JSONB_AGG",
    "JSONB_BUILD_OBJECT",
    "JSON_AGG",
    "JSON_BUILD_OBJECT",
    "LATERAL",
    "LEAST",
    "LENGTH",
    "LIKE",
    "LIMIT",
    "LOWER",
    "LTRIM",
    "MATERIALIZED",
    "MAX",
    "MIN",
    "MOD",
    "NOT",
    "NOW",
    "NULLIF",
    "NUMERIC",
    "OCTET_LENGTH",
    "ON",
    "OR",
    "OVER",
    "RANK",
    "REPLACE",
    "ROUND",
    "ROW",
    "ROW_NUMBER",
    "RTRIM",
    "SELECT",
    "SET",
    "STRING_AGG",
    "SUBSTR",
    "SUBSTRING",
    "SUM",
    "TRIM",
    "UNION",
    "UNNEST",
    "UPPER",
    "USING",
    "VALUES",
];

/// Words that make something which stays with the session.
const STAYING: [&str; 2] = ["TEMP", "TEMPORARY"];

/// Tells whether a statement only reads and writes rows, as far as its text says: what the app's own triggers, views and operators do is
/// not in it.
pub(super) fn is_plain(sql: &str) -> bool {
    sql.len() <= KEPT_BYTES && read(sql).is_some()
}

/// What came before a token, as far as a parenthesis that opens needs to know it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// The table that rows are inserted into, whose columns may follow.
    Table,
    /// A name that is no function.
    Known,
    /// A name that may be a function.
    Name,
    Dot,
    /// A parenthesis that was closed.
    Closed,
    Other,
}

fn read(sql: &str) -> Option<()> {
    let mut rest = sql.trim_end_matches([' ', '\t', '\n', '\r', ';']);
    let (mut before, mut is_first, mut is_table) = (Before::Other, true, false);
    while let Some(first) = rest.chars().next() {
        let len = match first {
            ' ' | '\t' | '\n' | '\r' => {
                rest = &rest[1..];
                continue;
            }
            'a'..='z' | 'A'..='Z' | '_' => word_len(rest)?,
            '"' => quoted_len(rest, '"')?,
            '\'' => quoted_len(rest, '\'')?,
            '0'..='9' => rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len()),
            '$' => 1 + digits_len(&rest[1..])?,
            '(' if matches!(before, Before::Name | Before::Closed) => return None,
            '-' if rest.starts_with("--") => return None,
            '/' if rest.starts_with("/*") => return None,
            // `(a_row).f` calls `f`.
            '.' if before == Before::Closed => return None,
            '(' | ')' | '.' | ',' | '+' | '-' | '*' | '/' | '%' | '<' | '>' | '=' | '!' | '|' | ':' | '[' | ']' => 1,
            _ => return None,
        };
        let (token, after) = rest.split_at(len);
        rest = after;
        if std::mem::take(&mut is_first) && !is_one_of(token, &FIRST) {
            return None;
        }
        before = match first {
            'a'..='z' | 'A'..='Z' | '_' if is_one_of(token, &STAYING) => return None,
            'a'..='z' | 'A'..='Z' | '_' | '"' if is_table => Before::Table,
            'a'..='z' | 'A'..='Z' | '_' if before != Before::Dot && is_one_of(token, &BEFORE_PARENTHESIS) => {
                Before::Known
            }
            'a'..='z' | 'A'..='Z' | '_' | '"' => Before::Name,
            '.' => Before::Dot,
            ')' => Before::Closed,
            _ => Before::Other,
        };
        // `INTO shop.orders (`: the name goes on after a dot.
        is_table =
            token.eq_ignore_ascii_case("INTO") || (is_table && rest.starts_with('.')) || (is_table && token == ".");
    }
    (!is_first).then_some(())
}

fn is_one_of(token: &str, sorted: &[&str]) -> bool {
    sorted.binary_search(&token.to_ascii_uppercase().as_str()).is_ok()
}

/// Returns the length of a word. Nothing for the beginning of a text of another kind, `E'\n'` or `U&"x"`.
fn word_len(rest: &str) -> Option<usize> {
    let len = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    let follows = rest[len..].chars().next();
    (!matches!(follows, Some('\'' | '"' | '$' | '&')) && follows.is_none_or(|c| c.is_ascii())).then_some(len)
}

/// Returns the length of what is quoted. A quote in it is written twice, and is two of them here.
fn quoted_len(rest: &str, quote: char) -> Option<usize> {
    let end = rest[1..].find([quote, '\\', '\0'])?;
    rest[1 + end..].starts_with(quote).then_some(end + 2)
}

fn digits_len(rest: &str) -> Option<usize> {
    let len = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    (len > 0).then_some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_and_written_without_a_trace() {
        for sql in [
            "SELECT word FROM laps WHERE id = $1",
            "  select count(*), max( price ) from shop.orders o where o.id in ($1, $2) and (a or b);\n",
            "INSERT INTO laps (id, word) VALUES ($1, 'it''s')",
            "INSERT INTO shop.laps (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET n = laps.n + 1 RETURNING id",
            "INSERT INTO \"My\".\"Laps\"(id) SELECT 1",
            "UPDATE laps SET word = lower(word), n = coalesce(n, 0) + 1 WHERE id = ANY($1)",
            "DELETE FROM laps WHERE id NOT IN (SELECT id FROM kept)",
            "WITH x AS (SELECT 1 AS one) SELECT one::text FROM x",
            "SELECT '-- ) set_config(' FROM laps",
            "SELECT a[1], 1.5e3 FROM t ORDER BY row_number() OVER (PARTITION BY a)",
            "VALUES (1), (2)",
        ] {
            assert!(is_plain(sql), "{sql}");
        }
    }

    #[test]
    fn whatever_may_leave_a_trace_is_seen() {
        for sql in [
            "",
            ";",
            "SELECT set_config('a.b', 'c', false)",
            "SELECT SET_CONFIG ('a.b', 'c', false)",
            "SELECT \"set_config\"('a.b', 'c', false)",
            "SELECT pg_catalog.set_config('a.b', 'c', false)",
            "SELECT x.count(1)",
            "SELECT pg_catalog . \"set_config\"('a.b', 'c', false)",
            "SELECT set_config/**/('a.b', 'c', false)",
            "SELECT set_config--\n('a.b', 'c', false)",
            "SELECT 'a\\' , set_config('a.b', 'c', false) --'",
            "SELECT E'\\'' , 1",
            "SELECT U&\"set\\005fconfig\"('a', 'b', false)",
            "SELECT u&'x'",
            "SELECT $$x$$",
            "SELECT $a$x$a$",
            "SELECT a$b(1)",
            "SELECT sét(1)",
            "SELECT é(1)",
            "SELECT nextval('s')",
            "SELECT lastval()",
            "SELECT (a_row).f FROM a_row",
            "SELECT 1 INTO TEMP x",
            "SELECT 1 INTO temporary x",
            "INSERT INTO laps (id) VALUES (pg_advisory_lock(1))",
            "INSERT INTO laps SELECT f(1)",
            "INSERT INTO laps AS l(id) VALUES (1)",
            "WITH x(a) AS (SELECT 1) SELECT a FROM x",
            "SELECT 1; SELECT 2",
            "CREATE TABLE laps (id BIGINT)",
            "CALL f()",
            "DO 'x'",
            "EXPLAIN ANALYZE SELECT 1",
            "SHOW search_path",
            "SELECT 'open",
            "SELECT \"open",
            "SELECT $",
        ] {
            assert!(!is_plain(sql), "{sql}");
        }
        assert!(!is_plain(&format!("SELECT {}", "1,".repeat(KEPT_BYTES))));
    }

    #[test]
    fn lists_are_sorted() {
        assert!(FIRST.is_sorted() && BEFORE_PARENTHESIS.is_sorted() && STAYING.is_sorted());
    }
}
