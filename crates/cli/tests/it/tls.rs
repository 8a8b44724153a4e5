//! TLS: which protocol is agreed on, and what happens when there is no agreement.

use crate::support::{curl, wharf};
use std::io::Write;
use wharf_testkit::{App, Certificate, Connection, guest};

#[tokio::test]
async fn the_protocol_is_agreed_on_in_the_handshake() {
    let certificate = Certificate::new();
    let server = wharf().up(guest("misbehave-p3")).with(&certificate.args()).start();
    assert!(server.url.starts_with("https://"), "{}", server.url);
    let h2: &[u8] = b"h2";
    let h1: &[u8] = b"http/1.1";
    for (offered, agreed, version) in [
        (&[h2, h1][..], Some(h2), http::Version::HTTP_2),
        (&[h1], Some(h1), http::Version::HTTP_11),
        (&[], None, http::Version::HTTP_11),
    ] {
        let (mut connection, chosen) = Connection::tls(server.address, &certificate, offered).await;
        assert_eq!(chosen.as_deref(), agreed);
        let answer = connection.get("https://localhost/echo-headers").await.unwrap();
        assert_eq!(answer.version(), version);
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        assert!(text.contains("scheme: Some(Scheme::Https)") && text.contains("x-forwarded-proto: https"), "{text}");
        assert!(text.contains("authority: Some(\"localhost\")"), "{text}");
    }
}

#[test]
fn curl_trusts_the_certificate() {
    let certificate = Certificate::new();
    let server = wharf().up(guest("hello")).with(&certificate.args()).start();
    let file = certificate.certificate().display().to_string();
    for version in ["--http1.1", "--http2"] {
        assert_eq!(curl(&[version, "--cacert", &file, &server.url]), ("hello\n".to_owned(), 0));
    }
    let (_, code) = curl(&[&server.url]);
    assert_eq!(code, 60, "curl trusts a certificate that it does not know");
}

#[test]
fn a_client_that_does_not_speak_tls_is_left_alone() {
    let certificate = Certificate::new();
    let mut server = wharf().up(guest("hello")).with(&certificate.args()).start();
    for bytes in [&b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"[..], b"\x16\x03\x01\xff\xff\x01\x00", &[0; 4096]] {
        let mut client = server.connect();
        client.send(bytes);
        client.finish_sending();
        let answer = client.rest();
        assert!(!answer.contains("hello"), "{answer:?}");
    }
    assert!(server.is_alive());
    let file = certificate.certificate().display().to_string();
    assert_eq!(curl(&["--cacert", &file, &server.url]).0, "hello\n");
}

#[test]
fn files_that_are_no_certificate_or_key_are_refused() {
    let certificate = Certificate::new();
    let other = Certificate::new();
    let app = App::empty();
    let text = app.write("text.pem", "no certificate");
    let (cert, key) = (certificate.certificate(), certificate.key());
    for (cert, key, said) in [
        (&text, &key, "has no certificate in it"),
        (&cert, &text, "cannot read a private key"),
        (&cert, &other.key(), "cannot use this certificate with this key"),
        (&app.path("missing.pem"), &key, "missing.pem"),
    ] {
        let args = format!("--tls-cert {} --tls-key {}", cert.display(), key.display());
        wharf().up(guest("hello")).with(&args).fail().badly(2, &["WHARF-0015", said]);
    }
    let ended = wharf().up(guest("hello")).with(&format!("--tls-cert {}", cert.display())).fail();
    ended.badly(2, &["--tls-key"]);
}

#[test]
fn a_handshake_that_does_not_end_holds_nobody_up() {
    let certificate = Certificate::new();
    let server = wharf().up(guest("hello")).with(&certificate.args()).start();
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let client = server.connect();
            client.socket().write_all(b"\x16\x03\x01").unwrap();
            client
        })
        .collect();
    let file = certificate.certificate().display().to_string();
    assert_eq!(curl(&["--cacert", &file, &server.url]).0, "hello\n");
    drop(waiting);
}
