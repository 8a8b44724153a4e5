//! Which URL and which address fit which grants.

use super::*;
use proptest::prelude::*;
use std::sync::Arc;

fn grants(patterns: &[&str]) -> Grants {
    let who = Who { app: "shop".into(), component: "front".into() };
    Grants::new(who, patterns.iter().map(|text| HttpGrant::parse(text).unwrap()).collect())
}

/// Shows what becomes of a request to a URL whose name leads to an address.
fn check(patterns: &[&str], url: &str, address: &str, expected: &str) {
    let grants = grants(patterns);
    let target = Target::of(&url.parse().unwrap()).unwrap();
    let found = match (grants.check_url(&target), grants.allows_address(&target, address.parse().unwrap())) {
        (false, _) => "not granted",
        (true, false) => "inside",
        (true, true) => "sent",
    };
    assert_eq!(found, expected, "{patterns:?} {url} {address}");
}

#[test]
fn a_name_reaches_public_addresses_only() {
    let by_name = &["https://db.example"];
    check(by_name, "https://db.example/", "93.184.216.34", "sent");
    check(by_name, "https://db.example:8443/", "93.184.216.34", "not granted");
    check(by_name, "http://db.example/", "93.184.216.34", "not granted");
    for inside in
        ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254", "::ffff:10.0.0.1", "64:ff9b::a00:1"]
    {
        check(by_name, "https://db.example/", inside, "inside");
        check(&["*"], "https://db.example/", inside, "inside");
        check(&["https://*.example"], "https://db.example/", inside, "inside");
    }
}

#[test]
fn a_network_grants_what_a_name_leads_to() {
    let both = &["http://db.example:8080", "http://10.0.0.0/8:8080"];
    check(both, "http://db.example:8080/", "10.1.2.3", "sent");
    check(both, "http://db.example:8080/", "::ffff:10.1.2.3", "sent");
    check(both, "http://db.example:8080/", "192.168.0.1", "inside");
    check(&["http://db.example:*", "http://10.0.0.0/8:8080"], "http://db.example:8081/", "10.1.2.3", "inside");
    check(&["*://db.example:*", "https://10.0.0.0/8:*"], "http://db.example/", "10.1.2.3", "inside");
    // The network alone grants no name, whatever it leads to.
    check(&["http://10.0.0.0/8:8080"], "http://db.example:8080/", "10.1.2.3", "not granted");
}

#[test]
fn an_address_is_reached_by_its_own_grant() {
    check(&["http://10.0.0.1"], "http://10.0.0.1/", "10.0.0.1", "sent");
    check(&["*"], "http://10.0.0.1/", "10.0.0.1", "inside");
    check(&["*"], "http://169.254.169.254/latest", "169.254.169.254", "inside");
    check(&["*"], "http://[::ffff:169.254.169.254]/", "169.254.169.254", "inside");
    check(&["*"], "http://93.184.216.34/", "93.184.216.34", "sent");
    // What a resolver takes for an address and a URL does not.
    check(&["*"], "http://2130706433/", "127.0.0.1", "inside");
    check(&["*"], "http://0x7f.1/", "127.0.0.1", "inside");
}

#[test]
fn localhost_is_the_machine_itself_when_it_is_named() {
    check(&["http://localhost:8080"], "http://localhost:8080/", "127.0.0.1", "sent");
    check(&["http://localhost:8080"], "http://LOCALHOST:8080/", "::1", "sent");
    check(&["http://localhost:8080"], "http://localhost:8080/", "10.0.0.1", "inside");
    check(&["http://localhost:8080"], "http://localhost:8081/", "127.0.0.1", "not granted");
    check(&["*"], "http://localhost/", "127.0.0.1", "inside");
    check(&["*", "https://localhost"], "http://localhost/", "127.0.0.1", "inside");
    check(&["http://localhost", "http://other.example"], "http://other.example/", "127.0.0.1", "inside");
}

#[test]
fn components_are_no_servers() {
    check(&["*", "http://backend.wharf.internal"], "http://backend.wharf.internal/", "93.184.216.34", "not granted");
}

#[test]
fn the_memory_of_refusals_is_bounded() {
    let grants = grants(&[]);
    for i in 0..10 * REMEMBERED {
        assert!(!grants.check_url(&Target { https: false, host: format!("h{i}.example"), port: 80 }));
    }
    assert_eq!(grants.refused.lock().unwrap().len(), REMEMBERED);
}

/// Returns what is logged.
fn logged(run: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).without_time();
    tracing::subscriber::with_default(subscriber.with_target(false).finish(), run);
    String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
}

#[test]
fn a_refusal_is_logged_once_with_the_line_that_would_grant_it() {
    let grants = grants(&["http://backend.wharf.internal", "https://a.example"]);
    let target = |url: &str| Target::of(&url.parse().unwrap()).unwrap();
    let log = logged(|| {
        for _ in 0..2 {
            grants.check_url(&target("https://B.example:8443/path?secret"));
            grants.refuse_address(&target("https://a.example/"), [10, 0, 0, 1].into());
        }
    });
    assert_eq!(
        log,
        " WARN WHARF-0021: a request to https://b.example:8443 was refused: it is not granted. To allow it, write in the manifest:\n\
         \n  [component.front.grants]\n  http = [\"http://backend.wharf.internal\", \"https://a.example\", \
         \"https://b.example:8443\"]\n app=shop component=front\n \
         WARN WHARF-0022: a request to https://a.example was refused: a.example is 10.0.0.1, which is not an address of the public \
         internet, and a grant by name does not reach those. To allow it, write in the manifest:\n\
         \n  [component.front.grants]\n  http = [\"http://backend.wharf.internal\", \"https://a.example\", \"https://10.0.0.1\"]\n \
         app=shop component=front\n"
    );
}

#[test]
fn the_line_that_is_logged_grants_what_was_refused() {
    for (url, address) in [
        ("https://b.example:8443/", "93.184.216.34"),
        ("http://10.0.0.1/", "10.0.0.1"),
        ("http://[fd00::1]:81/", "fd00::1"),
    ] {
        let target = Target::of(&url.parse().unwrap()).unwrap();
        check(&[&target.to_string()], url, address, "sent");
    }
}

/// The rules as one would say them, without the patterns' own code: scheme, host, port as texts and numbers.
fn naive(patterns: &[(&str, &str, u16)], target: &Target, address: u8) -> bool {
    let scheme = if target.https { "https" } else { "http" };
    let fits = |(of, _, port): &(&str, &str, u16)| (*of == "*" || *of == scheme) && *port == target.port;
    let url = patterns.iter().any(|pattern| fits(pattern) && (pattern.1 == "*" || pattern.1 == target.host));
    let public = address == 93;
    let inside = patterns.iter().any(|pattern| {
        let by_address = pattern.1 == "10.0.0.0/8" && address == 10;
        let by_name = pattern.1 == "localhost" && target.host == "localhost" && address == 127;
        fits(pattern) && (by_address || by_name)
    });
    url && (public || inside)
}

proptest! {
    #[test]
    fn grants_do_what_they_say(
        patterns in prop::collection::vec((
            prop::sample::select(&["*", "http", "https"][..]),
            prop::sample::select(&["*", "a.example", "localhost", "10.0.0.0/8"][..]),
            1_u16..3,
        ), 0..4),
        https: bool,
        host in prop::sample::select(&["a.example", "b.example", "localhost"][..]),
        port in 1_u16..3,
        address in prop::sample::select(&[93_u8, 10, 127, 192][..]),
    ) {
        let texts: Vec<_> = patterns.iter().map(|(scheme, host, port)| format!("{scheme}://{host}:{port}")).collect();
        let grants = grants(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        let target = Target { https, host: host.to_owned(), port };
        let ip = if address == 192 { IpAddr::from([192, 168, 0, 1]) } else { IpAddr::from([address, 0, 0, 1]) };
        let found = grants.check_url(&target) && grants.allows_address(&target, ip);
        prop_assert_eq!(found, naive(&patterns, &target, address));
    }
}
