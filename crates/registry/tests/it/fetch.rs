//! What is fetched, what is kept, and what is refused.

use tempfile::TempDir;
use wharf_registry::{Credentials, Digest, Error, Fetcher, Home, Origin, Reference};
use wharf_testkit::services::registry::{Answer, Door, Registry, digest};

const WASM: &[u8] = b"\0asm\x0d\0\x01\0 and so on";

fn fetcher(cache: &TempDir) -> Fetcher {
    Fetcher::new(Some(cache.path().to_owned())).unwrap()
}

fn tagged(registry: &Registry, path: &str) -> Reference {
    Reference::Registry { reference: format!("{}/{path}", registry.host()), version: None, digest: None }
}

fn with_digest(registry: &Registry, path: &str, digest: &str) -> Reference {
    let digest = Some(Digest::parse(digest).unwrap());
    Reference::Registry { reference: format!("{}/{path}", registry.host()), version: None, digest }
}

fn url(registry: &Registry, path: &str, bytes: &[u8]) -> Reference {
    Reference::Url { url: format!("http://{}{path}", registry.host()), digest: Digest::of(bytes) }
}

/// Fetches with nothing kept before.
fn fetch(reference: &Reference) -> Result<wharf_registry::Fetched, Error> {
    fetcher(&TempDir::new().unwrap()).fetch_blocking(reference)
}

#[track_caller]
fn refused(reference: &Reference, code: &str, said: &str) {
    let error = fetch(reference).unwrap_err();
    assert!(error.code() == code && error.to_string().contains(said), "{} {error}", error.code());
    assert!(!error.help().is_empty());
}

#[test]
fn an_artifact_is_fetched_by_tag_version_and_digest() {
    let registry = Registry::start();
    let pushed = registry.push("acme/auth", "1.2.0", WASM);
    let version = Reference::Registry {
        reference: format!("{}/acme/auth", registry.host()),
        version: Some("1.2.0".to_owned()),
        digest: None,
    };
    for reference in [
        tagged(&registry, "acme/auth:1.2.0"),
        version,
        with_digest(&registry, "acme/auth", &pushed.manifest),
        with_digest(&registry, "acme/auth", &pushed.layer),
    ] {
        let fetched = fetch(&reference).unwrap();
        assert_eq!(
            (fetched.bytes.as_slice(), fetched.digest.to_string()),
            (WASM, pushed.layer.clone()),
            "{reference:?}"
        );
        assert_eq!(fetched.origin, Origin::Network, "{reference:?}");
    }
}

#[test]
fn what_has_a_digest_needs_no_network_the_second_time() {
    let cache = TempDir::new().unwrap();
    let registry = Registry::start();
    let pushed = registry.push("a", "1", WASM);
    registry.answer("/file.wasm", Answer::ok(WASM));
    let references = [
        with_digest(&registry, "a", &pushed.manifest),
        with_digest(&registry, "a", &pushed.layer),
        url(&registry, "/file.wasm", WASM),
    ];
    fetcher(&cache).fetch_blocking(&references[0]).unwrap();
    registry.requests();
    for reference in &references {
        assert_eq!(
            fetcher(&cache).offline(true).fetch_blocking(reference).unwrap().origin,
            Origin::Cache,
            "{reference:?}"
        );
    }
    assert_eq!(registry.requests(), Vec::<String>::new());
}

#[test]
fn a_tag_that_cannot_be_looked_up_is_what_it_was() {
    let cache = TempDir::new().unwrap();
    let registry = Registry::start();
    registry.push("a", "1", WASM);
    let reference = tagged(&registry, "a:1");
    assert_eq!(fetcher(&cache).fetch_blocking(&reference).unwrap().origin, Origin::Network);
    // The tag is looked up again, its bytes are not sent again.
    registry.requests();
    assert_eq!(fetcher(&cache).fetch_blocking(&reference).unwrap().origin, Origin::Cache);
    assert_eq!(registry.requests(), ["GET /v2/a/manifests/1"]);
    drop(registry);
    assert_eq!(fetcher(&cache).fetch_blocking(&reference).unwrap().origin, Origin::Stale);
    let error = fetcher(&TempDir::new().unwrap()).fetch_blocking(&reference).unwrap_err();
    assert!(error.code() == "WHARF-0214" && error.to_string().contains("cannot reach 127.0.0.1:"), "{error}");
}

#[test]
fn what_somebody_changed_in_the_cache_is_fetched_again() {
    let cache = TempDir::new().unwrap();
    let registry = Registry::start();
    registry.answer("/file.wasm", Answer::ok(WASM));
    let reference = url(&registry, "/file.wasm", WASM);
    let fetched = fetcher(&cache).fetch_blocking(&reference).unwrap();
    let kept = cache.path().join("sha256").join(fetched.digest.hex());
    std::fs::write(&kept, b"\0asm something else").unwrap();
    let again = fetcher(&cache).fetch_blocking(&reference).unwrap();
    assert_eq!((again.origin, again.bytes.as_slice()), (Origin::Network, WASM));
    assert_eq!(std::fs::read(&kept).unwrap(), WASM);
}

#[test]
fn a_login_is_made_when_it_is_asked_for() {
    let folder = TempDir::new().unwrap();
    let registry = Registry::start();
    registry.push("a", "1", WASM);
    let config = folder.path().join("config.json");
    // me:secret
    std::fs::write(&config, format!(r#"{{"auths": {{"{}": {{"auth": "bWU6c2VjcmV0"}}}}}}"#, registry.host())).unwrap();
    let reference = tagged(&registry, "a:1");
    let with_login = || {
        let fetcher = Fetcher::new(None).unwrap().with_credentials(Credentials::of_files([config.clone()]));
        fetcher.fetch_blocking(&reference)
    };
    for door in [Door::Token, Door::Login("me", "secret"), Door::Basic("me", "secret")] {
        registry.set_door(door.clone());
        assert_eq!(with_login().unwrap().bytes, WASM, "{door:?}");
        if door != Door::Token {
            refused(&reference, "WHARF-0212", "it wants a login, and this machine has none for it");
        }
    }
    registry.set_door(Door::Login("me", "another"));
    let error = with_login().unwrap_err().to_string();
    assert!(error.contains("does not take the credentials") && !error.contains("secret"), "{error}");
    registry.set_door(Door::Closed);
    assert_eq!(with_login().unwrap_err().code(), "WHARF-0212");
}

#[test]
fn other_bytes_than_those_asked_for_are_refused() {
    let registry = Registry::start();
    let pushed = registry.push("a", "1", WASM);
    registry.answer(&format!("/v2/a/blobs/{}", pushed.layer), Answer::ok(b"\0asm of somebody else"));
    registry.answer("/file.wasm", Answer::ok(b"\0asm of somebody else"));
    let found = digest(b"\0asm of somebody else");
    for reference in [tagged(&registry, "a:1"), url(&registry, "/file.wasm", WASM)] {
        let error = fetch(&reference).unwrap_err().to_string();
        assert!(error.contains(&found) && error.contains(&digest(WASM)), "{error}");
    }
    registry.answer(&format!("/v2/a/manifests/{}", pushed.manifest), Answer::ok(b"{}"));
    refused(&with_digest(&registry, "a", &pushed.manifest), "WHARF-0213", &digest(b"{}"));
}

#[test]
fn what_is_not_there_or_no_component_is_told() {
    let registry = Registry::start();
    refused(&tagged(&registry, "nothing:1"), "WHARF-0211", "nothing:1 does not exist");
    refused(&url(&registry, "/nothing", WASM), "WHARF-0211", "/nothing does not exist");
    registry.push("text", "1", b"no wasm");
    refused(&tagged(&registry, "text:1"), "WHARF-0215", "does not begin as WebAssembly does");
    registry.push_manifest("image", "1", r#"{"layers": [{"mediaType": "application/x-tar", "digest": "sha256:00"}]}"#);
    refused(&tagged(&registry, "image:1"), "WHARF-0215", "application/x-tar");
    let digest = registry.push_manifest("loop", "1", r#"{"manifests": []}"#);
    registry.push_manifest("index", "1", &format!(r#"{{"manifests": [{{"digest": "{digest}"}}]}}"#));
    refused(&tagged(&registry, "index:1"), "WHARF-0211", "does not exist");
    for text in ["acme/auth", "http://x/y", ""] {
        let reference = Reference::Registry { reference: text.to_owned(), version: None, digest: None };
        refused(&reference, "WHARF-0210", "is no reference");
    }
    for text in ["file:///etc/passwd", "https://", "https://me:secret@example.com/x"] {
        let error = fetch(&Reference::Url { url: text.to_owned(), digest: Digest::of(b"") }).unwrap_err();
        assert!(error.code() == "WHARF-0210" && !error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn an_index_leads_to_the_artifact_for_webassembly() {
    let registry = Registry::start();
    let pushed = registry.push("a", "wasm", WASM);
    let entry = |architecture: &str, digest: &str| {
        format!(r#"{{"digest": "{digest}", "platform": {{"architecture": "{architecture}"}}}}"#)
    };
    let other = digest(b"image");
    registry.push_manifest(
        "a",
        "1",
        &format!(r#"{{"manifests": [{}, {}]}}"#, entry("amd64", &other), entry("wasm", &pushed.manifest)),
    );
    assert_eq!(fetch(&tagged(&registry, "a:1")).unwrap().bytes, WASM);
}

#[test]
fn redirects_are_few() {
    let registry = Registry::start();
    registry.answer("/file.wasm", Answer::ok(WASM));
    registry.answer("/once", Answer::redirect("/file.wasm"));
    registry.answer("/round", Answer::redirect("/round"));
    assert_eq!(fetch(&url(&registry, "/once", WASM)).unwrap().bytes, WASM);
    refused(&url(&registry, "/round", WASM), "WHARF-0214", "redirects too often");
}

#[test]
fn answers_without_end_end() {
    let registry = Registry::start();
    registry.answer("/v2/a/manifests/1", Answer::endless());
    refused(&tagged(&registry, "a:1"), "WHARF-0215", "larger than 4194304 bytes");
}

#[test]
fn a_server_that_is_busy_for_a_moment_is_asked_again() {
    let registry = Registry::start();
    registry.answer("/file.wasm", Answer::ok(WASM));
    registry.set_busy(2);
    assert_eq!(fetch(&url(&registry, "/file.wasm", WASM)).unwrap().bytes, WASM);
    registry.set_busy(3);
    refused(&url(&registry, "/file.wasm", WASM), "WHARF-0214", "503");
}

#[test]
fn versions_and_homes_are_listed() {
    let cache = TempDir::new().unwrap();
    let registry = Registry::start();
    for tag in ["0.2.0", "0.2.1"] {
        registry.push("wasi/http", tag, WASM);
    }
    let versions = fetcher(&cache).versions_blocking(&format!("{}/wasi/http", registry.host())).unwrap();
    assert_eq!(versions, ["0.2.0", "0.2.1"]);
    let home = |registry: &Registry| fetcher(&cache).home_blocking(&registry.host()).unwrap();
    assert_eq!(home(&registry), Home { registry: registry.host(), prefix: String::new() });
    let path = "/.well-known/wasm-pkg/registry.json";
    for said in [
        r#"{"oci": {"registry": "r.example", "namespacePrefix": "p/"}}"#,
        r#"{"ociRegistry": "r.example", "ociNamespacePrefix": "p/"}"#,
    ] {
        registry.answer(path, Answer::ok(said.as_bytes()));
        assert_eq!(home(&registry).reference("wasi", "http"), "r.example/p/wasi/http");
    }
}

#[test]
fn it_may_be_called_from_an_event_loop() {
    let registry = Registry::start();
    registry.answer("/file.wasm", Answer::ok(WASM));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let fetched = runtime.block_on(async { fetch(&url(&registry, "/file.wasm", WASM)) });
    assert_eq!(fetched.unwrap().bytes, WASM);
}
