//! The double of Vault, by HTTP.

use serde_json::{Value, json};
use wharf_testkit::services::Vault;
use wharf_testkit::services::vault::Fault;

use crate::wire::{Wire, is_refused};

fn question(method: &str, path: &str, token: &str) -> String {
    format!("{method} /v1/{path} HTTP/1.1\r\nhost: vault\r\nx-vault-token: {token}\r\n\r\n")
}

/// Sends one request with the right token and returns the status and the body.
fn ask(vault: &Vault, method: &str, path: &str) -> (u16, Value) {
    ask_with(vault, method, path, Vault::TOKEN)
}

fn ask_with(vault: &Vault, method: &str, path: &str, token: &str) -> (u16, Value) {
    let answer = Wire::to(vault.port()).ask(question(method, path, token), "}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}")))
}

#[test]
fn has_versions_of_secrets() {
    let vault = Vault::options().mount("team/kv").start();
    assert_eq!(vault.put("secret", "app/db", json!({ "password": "one" })), 1);
    assert_eq!(vault.put("secret", "app/db", json!({ "password": "two" })), 2);
    vault.put("team/kv", "a b", json!({ "x": 1 }));
    let (status, latest) = ask(&vault, "GET", "secret/data/app/db");
    assert_eq!((status, &latest["data"]["data"]["password"]), (200, &json!("two")));
    assert_eq!(latest["data"]["metadata"]["version"], 2);
    assert_eq!(ask(&vault, "GET", "secret/data/app/db?version=1").1["data"]["data"]["password"], "one");
    assert_eq!(ask(&vault, "GET", "team/kv/data/a%20b").1["data"]["data"], json!({ "x": 1 }));
    assert_eq!(ask(&vault, "GET", "secret/data/app/db?version=3"), (404, json!({ "errors": [] })));
    assert_eq!(ask(&vault, "GET", "secret/data/none"), (404, json!({ "errors": [] })));
    assert_eq!(ask(&vault, "GET", "none/data/none").0, 404);
    assert_eq!(ask(&vault, "GET", "secret/data/app/db?version=x").0, 400);
    assert_eq!(vault.requests()[1], "GET /v1/secret/data/app/db?version=1");
}

#[test]
fn tells_of_deleted_and_destroyed_versions() {
    let vault = Vault::start();
    vault.put("secret", "key", json!({ "a": "b" }));
    vault.delete("secret", "key", 1);
    let (status, deleted) = ask(&vault, "GET", "secret/data/key");
    assert_eq!((status, &deleted["data"]["data"]), (404, &Value::Null));
    assert_ne!(deleted["data"]["metadata"]["deletion_time"], "");
    vault.undelete("secret", "key", 1);
    assert_eq!(ask(&vault, "GET", "secret/data/key").0, 200);
    vault.destroy("secret", "key", 1);
    let (status, destroyed) = ask(&vault, "GET", "secret/data/key");
    assert_eq!((status, &destroyed["data"]["metadata"]["destroyed"]), (404, &json!(true)));
    vault.remove("secret", "key");
    assert_eq!(ask(&vault, "GET", "secret/data/key"), (404, json!({ "errors": [] })));
}

#[test]
fn knows_its_token() {
    let vault = Vault::start();
    let denied = (403, json!({ "errors": ["permission denied"] }));
    assert_eq!(ask_with(&vault, "GET", "secret/data/key", "wrong"), denied);
    let renewed = ask(&vault, "POST", "auth/token/renew-self").1;
    assert_eq!(renewed["auth"]["lease_duration"], 2_764_800);
    assert_eq!(ask(&vault, "GET", "auth/token/lookup-self").1["data"]["renewable"], true);
    vault.set_token("new");
    assert_eq!(ask(&vault, "POST", "auth/token/renew-self"), denied);
    assert_eq!(ask_with(&vault, "PUT", "auth/token/renew-self", "new").0, 200);
    let root = Vault::options().token("root").not_renewable().start();
    assert_eq!(ask_with(&root, "POST", "auth/token/renew-self", "root").0, 400);
}

#[test]
fn has_faults_that_begin_and_end() {
    let vault = Vault::start();
    vault.put("secret", "key", json!({}));
    vault.set_fault(Some(Fault::Internal));
    assert_eq!(ask(&vault, "GET", "secret/data/key").0, 500);
    vault.set_fault(Some(Fault::Sealed));
    assert_eq!(ask(&vault, "GET", "secret/data/key"), (503, json!({ "errors": ["Vault is sealed"] })));
    let (status, health) = ask_with(&vault, "GET", "sys/health", "");
    assert_eq!((status, &health["sealed"]), (503, &json!(true)));
    vault.set_fault(Some(Fault::Hang));
    assert!(Wire::to(vault.port()).is_silent(question("GET", "secret/data/key", Vault::TOKEN)));
    vault.set_fault(None);
    assert_eq!(ask(&vault, "GET", "secret/data/key").0, 200);
    assert_eq!(ask_with(&vault, "GET", "sys/health", "").0, 200);
}

#[test]
fn breaks_connections_when_it_is_killed() {
    let vault = Vault::start();
    vault.put("secret", "key", json!({}));
    vault.set_fault(Some(Fault::Hang));
    let mut client = Wire::to(vault.port());
    assert!(client.is_silent(question("GET", "secret/data/key", Vault::TOKEN)));
    vault.kill();
    assert!(client.is_broken());
    assert!(is_refused(vault.port()));
    vault.set_fault(None);
    vault.restart();
    assert_eq!(ask(&vault, "GET", "secret/data/key").0, 200);
}
