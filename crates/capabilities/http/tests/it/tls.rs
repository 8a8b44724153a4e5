//! Whom we trust, and who we say we are.

use crate::support::*;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use std::sync::Arc;
use tempfile::TempDir;
use wharf_app::HttpPattern;
use wharf_http::{Client, Error, Pem, ServerTls, Trust};

/// An authority of our own, with its files.
pub(crate) struct Authority {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        // Authorities are found by their names.
        params.distinguished_name.push(DnType::CommonName, format!("{:?}", params.key_identifier(&key)));
        let certificate = params.self_signed(&key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("authority.pem"), certificate.pem()).unwrap();
        Self { folder, issuer: Issuer::new(params, key), certificate: certificate.der().clone() }
    }

    /// Returns a server's settings with a certificate for a name.
    pub(crate) fn server(&self, name: &str, protocols: &[&str]) -> Arc<rustls::ServerConfig> {
        self.server_of(CertificateParams::new([name.to_owned()]).unwrap(), protocols, false)
    }

    fn server_of(&self, params: CertificateParams, protocols: &[&str], clients: bool) -> Arc<rustls::ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&crypto))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if clients {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(self.certificate.clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), crypto).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let mut config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    /// Returns the settings of a client that trusts this authority and no other, for every server.
    fn trust(&self, identity: Option<(Pem, Pem)>) -> Trust {
        let servers = HttpPattern::parse("*").unwrap();
        let authorities = Some(Pem::File(self.folder.path().join("authority.pem")));
        Trust::load(&[ServerTls { servers, authorities, platform: false, identity }]).unwrap()
    }

    fn setup(&self) -> Setup {
        let names = Names::default().with("localhost", &[&["127.0.0.1"]]);
        let grants = vec!["https://localhost:*".to_owned(), "https://127.0.0.1:*".to_owned()];
        Setup { trust: self.trust(None), names, grants, ..Setup::default() }
    }

    pub(crate) fn client(&self) -> Client {
        self.setup().client()
    }

    fn identity(&self) -> (Pem, Pem) {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let files = (self.folder.path().join("client.pem"), self.folder.path().join("client.key"));
        std::fs::write(&files.0, certificate.pem()).unwrap();
        std::fs::write(&files.1, key.serialize_pem()).unwrap();
        (Pem::File(files.0), Pem::File(files.1))
    }
}

async fn serve(tls: Arc<rustls::ServerConfig>) -> (Server, String) {
    let server = Server::http(Some(tls), |request| async move { answer(format!("{:?}", request.version())) }).await;
    let url = format!("https://localhost:{}/", server.port);
    (server, url)
}

fn reason(error: &Error) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string);
    format!("{error}: {}", source.unwrap_or_default())
}

#[tokio::test]
async fn the_server_chooses_the_protocol() {
    let authority = Authority::new();
    for (protocols, chosen) in [(&["h2", "http/1.1"][..], "HTTP/2.0"), (&["http/1.1"], "HTTP/1.1"), (&[], "HTTP/1.1")] {
        let (_server, url) = serve(authority.server("localhost", protocols)).await;
        assert_eq!(text(&authority.client(), get(&url)).await.unwrap(), chosen);
    }
}

#[tokio::test]
async fn an_address_can_have_a_certificate() {
    let authority = Authority::new();
    let (server, _) = serve(authority.server("127.0.0.1", &["h2"])).await;
    let url = format!("https://127.0.0.1:{}/", server.port);
    assert_eq!(text(&authority.client(), get(&url)).await.unwrap(), "HTTP/2.0");
}

#[tokio::test]
async fn the_certificate_of_another_name_is_refused() {
    let authority = Authority::new();
    let (_server, url) = serve(authority.server("other.example", &[])).await;
    let error = refused(send(&authority.client(), get(&url)).await);
    assert!(matches!(error, Error::Certificate { .. }), "{error:?}");
    assert!(reason(&error).contains("not valid for name"), "{}", reason(&error));
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let authority = Authority::new();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let (_server, url) = serve(authority.server_of(params, &[], false)).await;
    let error = refused(send(&authority.client(), get(&url)).await);
    assert!(matches!(error, Error::Certificate { .. }), "{error:?}");
    assert!(reason(&error).contains("expired"), "{}", reason(&error));
}

#[tokio::test]
async fn an_unknown_authority_is_refused() {
    let (authority, unknown) = (Authority::new(), Authority::new());
    let (_server, url) = serve(unknown.server("localhost", &[])).await;
    let error = refused(send(&authority.client(), get(&url)).await);
    assert!(matches!(error, Error::Certificate { .. }), "{error:?}");
    assert!(reason(&error).contains("UnknownIssuer"), "{}", reason(&error));
}

#[tokio::test]
async fn a_certificate_that_vouches_for_itself_is_refused() {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(crypto).with_safe_default_protocol_versions().unwrap();
    let config = builder.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let (_server, url) = serve(Arc::new(config)).await;
    let authority = Authority::new();
    // With authorities of our own, and with those of the platform.
    for trust in [authority.trust(None), Trust::default()] {
        let error = refused(send(&Setup { trust, ..authority.setup() }.client(), get(&url)).await);
        assert!(matches!(error, Error::Certificate { .. }), "{error:?}");
    }
}

/// What the operator writes, with the certificates as files and as texts.
#[tokio::test]
async fn the_settings_of_the_node_are_for_the_servers_that_they_name() {
    let authority = Authority::new();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.subject_alt_names.push(rcgen::SanType::IpAddress([127, 0, 0, 1].into()));
    let (server, url) = serve(authority.server_of(params, &["h2"], true)).await;
    authority.identity();
    let path = |name: &str| authority.folder.path().join(name).display().to_string();
    let text = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    for place in [&path as &dyn Fn(&str) -> String, &text] {
        let mut entry = toml::Table::new();
        for (key, name) in [("authorities", "authority.pem"), ("certificate", "client.pem"), ("key", "client.key")] {
            entry.insert(key.to_owned(), place(name).into());
        }
        entry.insert("platform-authorities".to_owned(), false.into());
        let servers = toml::Table::from_iter([("https://localhost:*".to_owned(), entry.into())]);
        let table = toml::Table::from_iter([("server".to_owned(), servers.into())]);
        let network = wharf_http::Network::configured(table).unwrap();
        let who = wharf_kit::Who { app: "shop".into(), component: "front".into() };
        let grants =
            ["https://localhost:*", "https://127.0.0.1:*"].map(|text| wharf_app::HttpGrant::parse(text).unwrap());
        let quota = Arc::new(network.quota(toml::Table::new()).unwrap());
        let client = Client::new(Arc::new(network), who, grants.to_vec(), quota, Arc::default());
        assert_eq!(crate::support::text(&client, get(&url)).await.unwrap(), "HTTP/2.0");
        // The same server by another name is none of the entry's.
        let error = refused(send(&client, get(&format!("https://127.0.0.1:{}/", server.port))).await);
        assert!(matches!(error, Error::Certificate { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_authority_is_trusted_beside_those_of_the_platform() {
    let authority = Authority::new();
    let servers = HttpPattern::parse("https://localhost:*").unwrap();
    let authorities = Some(Pem::File(authority.folder.path().join("authority.pem")));
    let trust = Trust::load(&[ServerTls { servers, authorities, platform: true, identity: None }]).unwrap();
    let (server, url) = serve(authority.server("localhost", &[])).await;
    let client = Setup { trust, ..authority.setup() }.client();
    assert_eq!(text(&client, get(&url)).await.unwrap(), "HTTP/1.1");
    // And for no other server: this one is not in the entry.
    let error = refused(send(&client, get(&format!("https://127.0.0.1:{}/", server.port))).await);
    assert!(matches!(error, Error::Certificate { .. } | Error::Trust(_)), "{error:?}");
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_gets_the_one_that_is_set() {
    let authority = Authority::new();
    let params = || CertificateParams::new(["localhost".to_owned()]).unwrap();
    for protocols in [&["h2"][..], &["http/1.1"]] {
        let (_server, url) = serve(authority.server_of(params(), protocols, true)).await;
        let error = refused(send(&authority.client(), get(&url)).await);
        assert!(matches!(&error, Error::Alert { .. } | Error::Terminated | Error::Protocol(_)), "{error:?}");
        let trust = authority.trust(Some(authority.identity()));
        let client = Setup { trust, ..authority.setup() }.client();
        assert!(text(&client, get(&url)).await.unwrap().starts_with("HTTP/"));
    }
}

#[tokio::test]
async fn a_server_without_tls_is_no_server_with_tls() {
    let plain = Server::raw(|mut stream, _| async move {
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        closed(&mut stream).await;
    })
    .await;
    let error = refused(send(&client(), get(&format!("https://127.0.0.1:{}/", plain.port))).await);
    assert!(matches!(error, Error::Tls { .. }), "{error:?}");
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let servers = HttpPattern::parse("*").unwrap();
    let missing = Some(Pem::File("missing.pem".into()));
    let entry = ServerTls { servers, authorities: missing, platform: false, identity: None };
    let error = Trust::load(&[entry]).err().unwrap();
    assert_eq!(error.to_string(), "cannot read certificates from missing.pem");
}
