//! Vault, when it is away, slow, sealed, or of another opinion.

use crate::fixture::{MARK, assert_silent, bindings, everybody, get, gets, listen, who};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use tempfile::TempDir;
use wharf_kit::{Declared, Kind, Refused, UsageTable};
use wharf_secrets::{Allowed, Error};
use wharf_testkit::services::Vault;
use wharf_testkit::services::vault::Fault;

const PATH: &str = "shop/default/key";

fn vault() -> Vault {
    listen();
    let vault = Vault::start();
    vault.put("secret", PATH, json!({ "value": MARK, "user": "hunter2-user" }));
    vault
}

fn settings(vault: &Vault, more: &str) -> Declared {
    everybody("vault", &format!("address = \"{}\"\ntoken = \"{}\"\nttl = \"1ms\"\n{more}", vault.url(), Vault::TOKEN))
}

fn granted(declared: Declared) -> Allowed {
    let bindings = bindings(&TempDir::new().unwrap(), declared);
    let names = ["key", "other"].map(str::to_owned);
    Allowed::bind(&bindings, who("shop"), names, &BTreeMap::new(), &UsageTable::default()).unwrap()
}

fn is_away(answer: &Result<String, Error>) -> bool {
    answer.as_ref().is_err_and(|error| error.kind() == Kind::Unavailable)
}

fn is_there(answer: &Result<String, Error>) -> bool {
    answer.as_deref() == Ok(MARK)
}

fn reads(vault: &Vault) -> usize {
    vault.requests().iter().filter(|request| request.contains("/data/")).count()
}

#[tokio::test]
async fn mount_prefix_and_field_are_the_operators() {
    listen();
    let vault = Vault::options().mount("kv").start();
    vault.put("kv", "a/b/shop/default/key", json!({ "password": MARK, "value": "not this" }));
    vault.put("kv", "a/b/shop/default/other", json!({ "value": "not this" }));
    let allowed = granted(settings(&vault, "mount = \"kv\"\nprefix = \"a/b\"\nfield = \"password\""));
    assert_eq!(get(&allowed, "key").await.as_deref(), Ok(MARK));
    assert_eq!(get(&allowed, "other").await, Err(Error::NotFound), "the entry has no such field");
    let wrong = granted(settings(&vault, "mount = \"nowhere\""));
    assert_eq!(get(&wrong, "key").await.map_err(|error| error.kind()), Err(Kind::Backend));
    assert_silent();
}

#[tokio::test]
async fn a_server_that_is_away_at_the_start_is_no_error_until_it_is_asked() {
    let vault = vault();
    vault.kill();
    let allowed = granted(settings(&vault, ""));
    assert!(is_away(&get(&allowed, "key").await));
    let asked = vault.requests().len();
    // Later calls do not even try, until one finds out.
    for _ in 0..100 {
        assert!(is_away(&get(&allowed, "key").await));
    }
    assert_eq!(vault.requests().len(), asked);
    vault.restart();
    gets(&allowed, "key", is_there).await;
    assert_silent();
}

#[tokio::test]
async fn a_server_that_dies_in_the_middle_of_a_call_ends_it() {
    let vault = vault();
    let allowed = granted(settings(&vault, ""));
    vault.set_fault(Some(Fault::Hang));
    let call = get(&allowed, "key");
    let kill = async {
        while reads(&vault) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        vault.kill();
    };
    let (answer, ()) = tokio::join!(call, kill);
    assert!(is_away(&answer), "{answer:?}");
    vault.set_fault(None);
    vault.restart();
    gets(&allowed, "key", is_there).await;
    assert_silent();
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let vault = vault();
    let mut declared = settings(&vault, "");
    declared.every.values_mut().for_each(|binding| binding.bounds.timeout = Some(Duration::from_millis(400)));
    let allowed = granted(declared);
    vault.set_fault(Some(Fault::Hang));
    let error = get(&allowed, "key").await.unwrap_err();
    assert_eq!(error, Error::Refused(Refused::Deadline(Duration::from_millis(400))));
    // It is known to be away now.
    gets(&allowed, "key", |answer| matches!(answer, Err(Error::Unavailable(_)))).await;
    vault.set_fault(None);
    gets(&allowed, "key", is_there).await;
}

#[tokio::test]
async fn a_server_that_is_sealed_or_fails_is_away() {
    let vault = vault();
    let allowed = granted(settings(&vault, ""));
    for (fault, why) in [(Fault::Sealed, "sealed"), (Fault::Internal, "failed")] {
        vault.set_fault(Some(fault));
        let named = |answer: &Result<String, Error>| {
            is_away(answer) && answer.as_ref().is_err_and(|error| error.to_string().contains(why))
        };
        gets(&allowed, "key", named).await;
        vault.set_fault(None);
        gets(&allowed, "key", is_there).await;
    }
    assert_silent();
}

#[tokio::test]
async fn a_value_is_believed_for_its_time_and_not_longer() {
    let vault = vault();
    let long = granted(everybody(
        "vault",
        &format!("address = \"{}\"\ntoken = \"{}\"\nttl = \"1h\"", vault.url(), Vault::TOKEN),
    ));
    let short = granted(settings(&vault, ""));
    for allowed in [&long, &short] {
        assert_eq!(get(allowed, "key").await.as_deref(), Ok(MARK));
    }
    let before = reads(&vault);
    for _ in 0..50 {
        assert_eq!(get(&long, "key").await.as_deref(), Ok(MARK));
    }
    assert_eq!(reads(&vault), before, "nobody was asked");
    vault.put("secret", PATH, json!({ "value": "hunter2-new" }));
    gets(&short, "key", |answer| answer.as_deref() == Ok("hunter2-new")).await;
    vault.kill();
    assert_eq!(get(&long, "key").await.as_deref(), Ok(MARK), "what is believed needs no server");
    gets(&short, "key", is_away).await;
    assert_silent();
}

#[tokio::test]
async fn a_version_that_is_deleted_or_destroyed_is_not_there() {
    let vault = vault();
    let allowed = granted(settings(&vault, ""));
    let not_found = |answer: &Result<String, Error>| *answer == Err(Error::NotFound);
    assert!(is_there(&get(&allowed, "key").await));
    vault.delete("secret", PATH, 1);
    gets(&allowed, "key", not_found).await;
    vault.undelete("secret", PATH, 1);
    gets(&allowed, "key", is_there).await;
    vault.destroy("secret", PATH, 1);
    gets(&allowed, "key", not_found).await;
    vault.put("secret", PATH, json!({ "value": MARK }));
    gets(&allowed, "key", is_there).await;
    vault.remove("secret", PATH);
    gets(&allowed, "key", not_found).await;
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_a_new_one_in_its_file_is_taken() {
    let vault = vault();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "hunter2-wrong-token\n").unwrap();
    let settings = format!("address = \"{}\"\ntoken-file = \"{}\"\nttl = \"1ms\"", vault.url(), file.display());
    let allowed = granted(everybody("vault", &settings));
    assert_eq!(get(&allowed, "key").await, Err(Error::Forbidden));
    std::fs::write(&file, format!("{}\n", Vault::TOKEN)).unwrap();
    assert_eq!(get(&allowed, "key").await.as_deref(), Ok(MARK));
    vault.set_token("hunter2-rotated");
    std::fs::write(&file, "hunter2-rotated").unwrap();
    gets(&allowed, "key", is_there).await;
    std::fs::remove_file(&file).unwrap();
    vault.set_token("hunter2-again");
    gets(&allowed, "key", |answer| *answer == Err(Error::Forbidden)).await;
    assert_silent();
}

#[tokio::test]
async fn a_file_without_a_token_is_waited_for() {
    let vault = vault();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("token");
    let settings = format!("address = \"{}\"\ntoken-file = \"{}\"", vault.url(), file.display());
    let allowed = granted(everybody("vault", &settings));
    assert_eq!(get(&allowed, "key").await, Err(Error::Forbidden));
    std::fs::write(&file, Vault::TOKEN).unwrap();
    gets(&allowed, "key", is_there).await;
}

#[tokio::test]
async fn the_token_is_renewed_before_it_ends() {
    listen();
    let vault = Vault::options().lease(Duration::from_secs(1)).start();
    let _allowed = granted(settings(&vault, ""));
    let renewals = || vault.requests().iter().filter(|request| request.contains("renew-self")).count();
    let twice = async {
        while renewals() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(wharf_testkit::BOUND, twice).await.unwrap();
    assert_silent();
}

#[tokio::test]
async fn an_address_shows_no_password() {
    let vault = vault();
    let described = granted(settings(&vault, "")).describe().join("\n");
    assert!(described.contains(&format!("secrets key in vault {} secret/shop/default", vault.url())), "{described}");
    assert!(!described.contains(Vault::TOKEN));
}
