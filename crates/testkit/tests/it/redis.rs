//! Redis, by its own protocol.

use std::process::Command;

use wharf_testkit::services::Redis;

use crate::wire::{Wire, is_refused};

#[test]
fn keeps_what_it_answered_when_it_is_killed() {
    let Some(redis) = Redis::start() else { return };
    let mut client = Wire::to(redis.port());
    assert_eq!(client.ask("SET key value\r\n", "\r\n"), "+OK\r\n");
    redis.kill();
    assert!(client.is_broken());
    assert!(is_refused(redis.port()));
    assert!(!redis.is_alive());
    redis.restart();
    assert_eq!(Wire::to(redis.port()).ask("GET key\r\n", "value\r\n"), "$5\r\nvalue\r\n");
}

#[test]
fn forgets_all_when_it_is_in_memory() {
    let Some(redis) = Redis::options().in_memory().start() else { return };
    assert_eq!(Wire::to(redis.port()).ask("SET key value\r\n", "\r\n"), "+OK\r\n");
    redis.stop();
    redis.restart();
    assert_eq!(Wire::to(redis.port()).ask("GET key\r\n", "\r\n"), "$-1\r\n");
}

#[test]
fn lets_in_only_with_the_password() {
    let Some(redis) = Redis::options().password("secret").setting("maxmemory 3mb").start() else { return };
    assert!(Wire::to(redis.port()).ask("PING\r\n", "\r\n").starts_with("-NOAUTH"));
    let program = Command::new("redis-cli").args(["-u", &redis.url(), "CONFIG", "GET", "maxmemory"]).output();
    let output = String::from_utf8(program.expect("redis-cli comes with the server").stdout).unwrap();
    assert_eq!(output, "maxmemory\n3145728\n");
    redis.restart();
    assert!(Wire::to(redis.port()).ask("AUTH secret\r\nPING\r\n", "PONG\r\n").starts_with("+OK"));
}

#[test]
fn hangs_while_it_is_paused() {
    let Some(redis) = Redis::start() else { return };
    let mut client = Wire::to(redis.port());
    redis.pause();
    assert!(client.is_silent("PING\r\n"));
    assert!(Wire::to(redis.port()).is_silent("PING\r\n"));
    assert!(redis.is_alive());
    redis.resume();
    assert_eq!(client.ask("", "\r\n"), "+PONG\r\n");
    redis.pause();
    redis.stop();
    assert!(!redis.is_alive());
}

#[test]
fn many_start_at_once_on_ports_of_their_own() {
    let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(Redis::start)).collect();
    let all: Vec<Redis> = threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect();
    let ports: std::collections::BTreeSet<u16> = all.iter().map(|redis| redis.port()).collect();
    assert_eq!(ports.len(), all.len());
    let folders: Vec<_> = all.iter().map(|redis| redis.folder().to_owned()).collect();
    drop(all);
    assert!(ports.into_iter().all(is_refused));
    assert!(folders.iter().all(|folder| !folder.exists()));
}
