//! TLS to a real server: whom we trust, and that nothing is said without it where it is wanted.

use wharf_kit::Kind;
use wharf_testkit::services::{S3, Tls};
use wharf_testkit::{Authority, Refused};

use crate::fixture::{BUCKET, content, get, id, is_absent, put, settings, try_put};
use crate::servers::{failures, store};

/// How long a handshake may take on a machine that does other things too.
const PATIENT: &str = "connect_timeout = \"10s\"\n";

fn serving(tls: Tls) -> Option<S3> {
    let server = S3::options().tls(tls).start()?;
    server.create_bucket(BUCKET);
    Some(server)
}

/// Returns the settings of a server that may be spoken to by TLS only.
fn secure(server: &S3, more: &str) -> String {
    settings(server, &format!("{PATIENT}{more}")).replace("allow_http = true", "allow_http = false")
}

fn trusting(authority: &Authority) -> String {
    format!("authorities = \"{}\"\n", authority.file().display())
}

/// Makes every call once, each of which fails with the same words, and returns what follows those that all have that do not reach a server.
async fn refusal(settings: &str) -> String {
    let errors = failures(&*store(settings)).await;
    let said = errors[0].to_string();
    for error in errors {
        assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
        assert_eq!(error.to_string(), said, "{error:?}");
    }
    let why = said.strip_prefix("the backend cannot be reached now: ");
    why.unwrap_or_else(|| panic!("it does not say why: {said}")).to_owned()
}

#[tokio::test]
async fn a_certificate_of_a_known_authority_is_accepted() {
    let (authority, other) = (Authority::new(), Authority::new());
    let Some(server) = serving(Tls::new(authority.server())) else { return };
    let by_address = secure(&server, &trusting(&authority));
    // One of several.
    let as_text = secure(&server, &format!("authorities = '''{}{}'''\n", other.pem(), authority.pem()));
    let by_name = as_text.replace("127.0.0.1", "localhost");
    for settings in [by_address, by_name] {
        let store = store(&settings);
        put(&*store, &id("", "small"), "x").await;
        assert_eq!(get(&*store, &id("", "small")).await, b"x", "{settings}");
        // In parts.
        put(&*store, &id("", "large"), content(0, 6 << 20)).await;
        assert!(get(&*store, &id("", "large")).await == content(0, 6 << 20), "{settings}");
    }
}

#[tokio::test]
async fn other_certificates_are_refused_in_words() {
    let authority = Authority::new();
    let trusting = trusting(&authority);
    for Refused { identity, trusts, why } in authority.refused() {
        let Some(server) = serving(Tls::new(identity)) else { return };
        let refusal = refusal(&secure(&server, if trusts { &trusting } else { "" })).await;
        assert_eq!(refusal, format!("the certificate of the server {why}"));
    }
}

#[tokio::test]
async fn a_server_that_wants_to_know_who_we_are_is_not_reached() {
    let authority = Authority::new();
    let Some(server) = serving(Tls::new(authority.server()).with_clients_of(&authority)) else { return };
    let refusal = refusal(&secure(&server, &trusting(&authority))).await;
    assert_eq!(refusal, "the server wants a certificate of the host");
}

#[tokio::test]
async fn a_server_without_tls_gets_nothing_when_it_is_wanted() {
    let authority = Authority::new();
    let Some(server) = crate::fixture::server() else { return };
    let plain = store(&settings(&server, ""));
    let wanted = settings(&server, &format!("connect_timeout = \"500ms\"\n{}", trusting(&authority)));
    // It answers what is no TLS, or waits for more of what is no line to it, and is given up then.
    let error =
        try_put(&*store(&wanted.replace("http://", "https://")), &id("", "a"), &content(0, 1)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
    assert!(is_absent(&*plain, &id("", "a")).await);
}
