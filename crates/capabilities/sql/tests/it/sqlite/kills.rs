//! No acknowledged write is lost when the process is killed, and the database opens.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;

use tempfile::TempDir;
use wharf_kit::Namespace;
use wharf_sql::Value;

use crate::fixture::{add, begin, call, execute, open, query, statement, text};

/// Set for the process that writes: where, and from which number on.
const WRITER: &str = "WHARF_SQL_WRITER";
const KILLS: usize = 200;

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the way to tell another process of this test what to do")]
async fn no_acknowledged_write_is_lost_by_a_kill() {
    if let Ok(role) = std::env::var(WRITER) {
        return write(&role).await;
    }
    let folder = TempDir::new().unwrap();
    let random = RandomState::new();
    let mut acknowledged = BTreeSet::new();
    let mut next = 0;
    for round in 0..KILLS {
        let role = format!("{} {next}", folder.path().display());
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "sqlite::kills::no_acknowledged_write_is_lost_by_a_kill", "--nocapture"])
            .env(WRITER, role)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, receiver) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let number = line.strip_prefix("wrote ").and_then(|line| line.parse::<i64>().ok());
                if number.is_some_and(|number| sender.send(number).is_err()) {
                    return;
                }
            }
        });
        // After some writes, at no particular point of the next one.
        for _ in 0..random.hash_one(round) % 12 {
            acknowledged.insert(receiver.recv_timeout(wharf_testkit::BOUND).unwrap());
        }
        for _ in 0..random.hash_one((round, "turns")) % 300 {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        reader.join().unwrap();
        acknowledged.extend(receiver.try_iter());
        next += 100_000;
    }
    let database = open("sqlite", "", &folder).unwrap().store(&Namespace::own("shop", "orders")).unwrap();
    let rows = query(&*database, "SELECT id, word FROM t", &[]).await;
    let there: BTreeSet<i64> = rows.iter().map(|row| crate::fixture::number(&row[0])).collect();
    let lost: Vec<_> = acknowledged.difference(&there).collect();
    assert!(acknowledged.len() > KILLS, "{} writes", acknowledged.len());
    assert!(lost.is_empty(), "{lost:?} of {}", acknowledged.len());
    // Pairs were written together.
    assert!(there.iter().all(|id| there.contains(&(id ^ 1))), "half of a transaction");
    assert_eq!(query(&*database, "PRAGMA integrity_check", &[]).await, [[text("ok")]]);
}

/// Writes until it is killed, and says what it wrote.
#[expect(clippy::print_stdout, reason = "how it says so")]
async fn write(role: &str) {
    let (folder, first) = role.rsplit_once(' ').unwrap();
    let embedded = wharf_kit::Embedded::new(folder.as_ref(), "sql");
    let backend = &wharf_sql::BACKENDS[0];
    let opened = (backend.open)(toml::Table::new(), &embedded).unwrap();
    let database = opened.store(&Namespace::own("shop", "orders")).unwrap();
    execute(&*database, "CREATE TABLE IF NOT EXISTS t (id BIGINT PRIMARY KEY, word TEXT)", &[]).await;
    let first: i64 = first.parse().unwrap();
    for id in (first..).step_by(2) {
        let pair = [id, id + 1];
        let one = |id| statement("INSERT INTO t (id, word) VALUES ($1, $2)", &[Value::Int64(id), text("some text")]);
        match id / 2 % 3 {
            0 => drop(database.batch(pair.map(one).to_vec(), call()).await.unwrap()),
            1 => {
                let sql = "INSERT INTO t (id) VALUES ($1), ($2)";
                execute(&*database, sql, &pair.map(Value::Int64)).await;
            }
            _ => {
                let mut transaction = begin(&*database).await;
                for id in pair {
                    add(&mut *transaction, id).await.unwrap();
                }
                transaction.commit(call()).await.unwrap();
            }
        }
        println!("wrote {id}\nwrote {}", id + 1);
    }
}
