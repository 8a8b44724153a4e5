//! SIGKILL in the middle of changes: the file opens, and what was acknowledged is in it.

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::{join, join_all};
use tempfile::TempDir;
use wharf_keyvalue::{Key, Store};
use wharf_kit::Namespace;
use wharf_testkit::until;

use crate::fixture::{LIMIT, key, open};
use crate::role;

const KILLS: u32 = 200;

/// Callers who count at the same time, each a key of its own.
const COUNTERS: usize = 6;

/// Acknowledged changes after which the process is killed, at most.
const CHANGES_MAX: u64 = 30;

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let folder = TempDir::new().unwrap();
    let random = RandomState::new();
    // What each key has at least.
    let mut acknowledged = BTreeMap::new();
    for round in 0..KILLS {
        let mut player = role::play("durability::change_until_killed", folder.path(), None);
        for _ in 0..random.hash_one(round) % CHANGES_MAX {
            let line = player.line().expect("it goes on until it is killed");
            note(&line, &mut acknowledged);
        }
        player.kill().iter().for_each(|line| note(line, &mut acknowledged));
        check(folder.path(), &mut acknowledged).await;
        let path = folder.path().join("data/keyvalue/shop/default.redb");
        until("the file to be closed", || File::open(&path).unwrap().try_lock().is_ok());
    }
    assert!(acknowledged.len() > COUNTERS, "{acknowledged:?}");
}

/// Takes note of `ack NAME NUMBER`.
fn note(line: &str, acknowledged: &mut BTreeMap<String, i64>) {
    // The first one is behind what the harness writes.
    let Some((_, change)) = line.split_once("ack ") else { return };
    let (name, number) = change.split_once(' ').unwrap();
    acknowledged.insert(name.to_owned(), number.parse().unwrap());
}

async fn check(folder: &Path, acknowledged: &mut BTreeMap<String, i64>) {
    let store = store(folder);
    for (name, last) in acknowledged {
        let found = number(&*store, &key(name)).await;
        // The one that was under way may have happened or not.
        assert!((*last..=*last + 1).contains(&found), "{name} is {found}, and {last} was acknowledged");
        // From here the next process goes on.
        *last = found;
    }
    let pair = store.get_many(&["left", "right"].map(key), LIMIT).await.unwrap();
    assert_eq!(pair[0], pair[1], "a batch happens as a whole");
}

fn store(folder: &Path) -> Arc<dyn Store> {
    open("redb", "", folder).unwrap().store(&Namespace::own("shop", "default")).unwrap()
}

async fn number(store: &dyn Store, key: &Key) -> i64 {
    let value = store.get(key, LIMIT).await.unwrap();
    value.map_or(0, |value| str::from_utf8(&value).unwrap().parse().unwrap())
}

#[tokio::test]
async fn change_until_killed() {
    let Some(folder) = role::folder() else { return };
    let store = &*store(&folder);
    let counters = join_all((0..COUNTERS).map(|caller| count(store, caller)));
    join(counters, join(pair(store), sum(store))).await;
}

async fn count(store: &dyn Store, caller: usize) {
    let key = key(format!("counter-{caller}"));
    for next in number(store, &key).await + 1.. {
        store.set(&key, next.to_string().into()).await.unwrap();
        acknowledge(&key, next);
    }
}

async fn pair(store: &dyn Store) {
    let (left, right) = (key("left"), key("right"));
    for next in number(store, &left).await + 1.. {
        store.set_many([&left, &right].map(|key| (key.clone(), next.to_string().into())).to_vec()).await.unwrap();
        acknowledge(&left, next);
    }
}

async fn sum(store: &dyn Store) {
    loop {
        let sum = store.increment(&key("sum"), 1).await.unwrap();
        acknowledge(&key("sum"), sum);
    }
}

/// Ends the process when nobody listens any more.
fn acknowledge(key: &Key, number: i64) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "ack {key} {number}").and_then(|()| out.flush()).unwrap();
}
