//! TLS to Vault: whom we trust, who we say we are, and that the token goes nowhere without it where it is wanted.

use crate::fixture::{MARK, assert_silent, bindings, everybody, get, gets, listen, who};
use serde_json::json;
use std::collections::BTreeMap;
use tempfile::TempDir;
use wharf_kit::UsageTable;
use wharf_secrets::{Allowed, Error};
use wharf_testkit::services::{Tls, Vault};
use wharf_testkit::{Authority, Refused};

fn serving(tls: Tls) -> Vault {
    listen();
    let vault = Vault::options().tls(tls).start();
    vault.put("secret", "shop/default/key", json!({ "value": MARK }));
    vault
}

fn granted(address: &str, settings: &str) -> Allowed {
    let settings = format!("address = \"{address}\"\ntoken = \"{}\"\nttl = \"1ms\"\n{settings}", Vault::TOKEN);
    let bindings = bindings(&TempDir::new().unwrap(), everybody("vault", &settings));
    Allowed::bind(&bindings, who("shop"), ["key".to_owned()], &BTreeMap::new(), &UsageTable::default()).unwrap()
}

fn trusting(authority: &Authority) -> String {
    format!("authorities = \"{}\"\n", authority.file().display())
}

/// Returns why a secret is not to be had.
async fn refusal(vault: &Vault, settings: &str) -> String {
    let allowed = granted(&vault.url(), settings);
    // Beside this call, its token is looked up: whoever of them comes later is told no more than that the other one failed.
    let mut why = Err(Error::NotFound);
    let has_cause = |answer: &Result<String, Error>| {
        why.clone_from(answer);
        !matches!(answer, Err(Error::Unavailable(why)) if why.contains("a moment ago"))
    };
    gets(&allowed, "key", has_cause).await;
    assert_eq!(vault.requests(), Vec::<String>::new());
    match why {
        Err(Error::Unavailable(why)) => why.to_owned(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_certificate_of_a_known_authority_is_accepted() {
    let authority = Authority::new();
    let vault = serving(Tls::new(authority.server()));
    let by_name = vault.url().replace("127.0.0.1", "localhost");
    let as_text = format!("authorities = '''{}'''\n", authority.pem());
    for (address, settings) in [(vault.url(), trusting(&authority)), (by_name, as_text)] {
        assert_eq!(get(&granted(&address, &settings), "key").await.as_deref(), Ok(MARK), "{address}");
    }
    assert_silent();
}

#[tokio::test]
async fn other_certificates_are_refused_in_words() {
    let authority = Authority::new();
    let trusting = trusting(&authority);
    for Refused { identity, trusts, why } in authority.refused() {
        let vault = serving(Tls::new(identity));
        let refusal = refusal(&vault, if trusts { &trusting } else { "" }).await;
        assert_eq!(refusal, format!("the certificate of the server {why}"));
    }
    assert_silent();
}

#[tokio::test]
async fn a_server_may_want_to_know_who_we_are() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let vault = serving(Tls::new(authority.server()).with_clients_of(&authority));
    let trusting = trusting(&authority);
    assert_eq!(refusal(&vault, &trusting).await, "the server wants a certificate of the host");
    let unknown = format!("{trusting}{}", stranger.client("wharf").settings());
    assert_eq!(refusal(&vault, &unknown).await, "the server does not accept the certificate of the host");
    let known = format!("{trusting}{}", authority.client("wharf").settings());
    assert_eq!(get(&granted(&vault.url(), &known), "key").await.as_deref(), Ok(MARK));
    assert_silent();
}

#[tokio::test]
async fn a_server_without_tls_gets_no_token_when_it_is_wanted() {
    listen();
    let authority = Authority::new();
    let vault = Vault::start();
    let address = vault.url().replace("http://", "https://");
    let answer = get(&granted(&address, &trusting(&authority)), "key").await;
    assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    assert_eq!(vault.requests(), Vec::<String>::new());
    assert_silent();
}
