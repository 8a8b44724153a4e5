use std::fmt::Display;
use std::net::IpAddr;

use proptest::prelude::*;

use super::{
    Access, ConfigGrant, DirGrant, EnvGrant, Grants, HttpGrant, HttpPattern, NetPattern, SecretGrant,
    internal_component, is_public,
};
use crate::pattern::PatternError;

/// Shows what was read, or the wrong part and why.
fn check<T: Display>(parse: impl Fn(&str) -> Result<T, PatternError>, text: &str, expected: &str) {
    let found = match parse(text) {
        Ok(value) => value.to_string(),
        Err(error) => format!("{:?} {error}", &text[error.range.clone()]),
    };
    assert_eq!(found, expected, "{text:?}");
}

#[test]
fn reads_network_grants() {
    for (text, expected) in [
        ("*", "*:*"),
        ("db.Internal:5432", "db.internal:5432"),
        ("*.example.com:443", "*.example.com:443"),
        ("10.0.0.0/8:8000-8100", "10.0.0.0/8:8000-8100"),
        ("10.1.2.3:*", "10.1.2.3:*"),
        ("[::1]:80", "[::1]:80"),
        ("[fd00::/8]:80", "[fd00::/8]:80"),
        ("[fd00::]/8:80", "[fd00::/8]:80"),
        ("example.com", "\"example.com\" a network grant needs a port"),
        ("::1", "\"::1\" a network grant needs a port"),
        ("a:0", "\"0\" a port is a number from 1 to 65535"),
        ("a:+1", "\"+1\" a port is a number from 1 to 65535"),
        ("a:9-1", "\"9-1\" the first port is above the last"),
        ("tcp://a:1", "\"tcp://\" a network grant has no scheme"),
        ("10.0.0.1/8:1", "\"10.0.0.1/8\" the address has bits after the length of the network"),
        ("10.0.0.0/33:1", "\"10.0.0.0/33\" the length of this network is at most 32"),
        ("10.0.0:1", "\"10.0.0\" is neither an IP address nor a host name"),
        ("a b:1", "\" \" ` ` cannot be in a host name"),
        (":1", "\"\" a host name is missing"),
    ] {
        check(NetPattern::parse, text, expected);
    }
}

#[test]
fn reads_http_grants() {
    for (text, expected) in [
        ("*", "*://*:*"),
        ("https://api.example.com", "https://api.example.com"),
        ("https://api.example.com/", "https://api.example.com"),
        ("http://*.example.com:8000-8100", "http://*.example.com:8000-8100"),
        ("*://10.0.0.0/8:*", "*://10.0.0.0/8:*"),
        ("https://*", "https://*"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("http://auth.wharf.internal", "http://auth.wharf.internal"),
        ("http://Auth.Wharf.Internal/", "http://auth.wharf.internal"),
        ("https://auth.wharf.internal", "\"https://auth.wharf.internal\" a call in process has the scheme `http`"),
        (
            "http://a.b.wharf.internal",
            "\"a.b\" the name of the component has characters other than lower-case letters, digits and `-`",
        ),
        ("example.com", "\"example.com\" an HTTP grant needs a scheme"),
        ("ftp://example.com", "\"ftp\" the scheme is neither `http` nor `https`"),
        ("https://example.com/v1", "\"/v1\" an HTTP grant has no path"),
        ("https://example.com?x", "\"?x\" an HTTP grant has no path"),
        ("https://me@example.com", "\"me@\" an HTTP grant has no user name"),
        ("https://", "\"\" a host name is missing"),
        ("https://a.*.b", "\"*\" `*` cannot be in a host name"),
        ("https://a:x", "\"x\" a port is a number from 1 to 65535"),
    ] {
        check(HttpGrant::parse, text, expected);
    }
}

#[test]
fn matches_servers() {
    for (pattern, https, host, port, expected) in [
        ("https://a.com", true, "A.com", None, true),
        ("https://a.com", true, "a.com.", Some(443), true),
        ("https://a.com", true, "a.com", Some(8443), false),
        ("https://a.com", false, "a.com", None, false),
        ("*://a.com", false, "a.com", None, true),
        ("https://*.a.com", true, "x.y.a.com", None, true),
        ("https://*.a.com", true, "a.com", None, false),
        ("https://*.a.com", true, "xa.com", None, false),
        ("http://10.0.0.0/8:*", false, "10.9.9.9", Some(1), true),
        ("http://10.0.0.0/8:*", false, "example.com", Some(1), false),
        ("http://[::1]", false, "[::1]", None, true),
        ("http://127.0.0.1", false, "[::ffff:127.0.0.1]", None, true),
        ("*", true, "anything", Some(1), true),
        ("*", false, "auth.Wharf.internal.", None, false),
    ] {
        let found = HttpPattern::parse(pattern).unwrap().matches(https, host, port);
        assert_eq!(found, expected, "{pattern} {host}");
    }
}

#[test]
fn components_of_the_app_are_granted_by_name_only() {
    let grants = |texts: &[&str]| Grants {
        http: texts.iter().map(|text| HttpGrant::parse(text).unwrap()).collect(),
        ..Grants::default()
    };
    assert_eq!(internal_component("Auth.wharf.internal").as_deref(), Some("auth"));
    assert_eq!(internal_component("wharf.internal"), None);
    let named = grants(&["http://auth.wharf.internal"]);
    assert!(named.allow_call("auth") && !named.allow_call("web"));
    assert!(!named.allow_request(false, "auth.wharf.internal", None));
    let every = grants(&["*"]);
    assert!(!every.allow_call("auth") && !every.allow_request(false, "auth.wharf.internal", None));
    assert!(every.allow_request(true, "example.com", None));
}

#[test]
fn a_name_grants_no_address() {
    let pattern = NetPattern::parse("example.com:80").unwrap();
    assert!(pattern.host.matches_name("example.com"));
    assert!(!pattern.host.matches_address(IpAddr::from([10, 0, 0, 1])));
}

#[test]
fn reads_folders() {
    let show = |text: &str| {
        DirGrant::parse(text, Access::ReadOnly).map(|dir| format!("{} as {} {:?}", dir.host, dir.guest, dir.access))
    };
    for (text, expected) in [
        ("data", "data as data ReadOnly"),
        ("data::/data", "data as /data ReadOnly"),
        ("data::/data:rw", "data as /data ReadWrite"),
        ("data:ro", "data as data ReadOnly"),
        (".", ". as . ReadOnly"),
        (r"C:\data::/data", r"C:\data as /data ReadOnly"),
        ("data::ro", "data as ro ReadOnly"),
        ("", "\"\" the folder on the node is empty"),
        ("data::", "\"\" the path that the component sees is empty"),
        ("..", "\"..\" the path that the component sees goes up with `..`"),
        ("data::/a/../b", "\"/a/../b\" the path that the component sees goes up with `..`"),
    ] {
        check(show, text, expected);
    }
}

#[test]
fn reads_environment_variables() {
    let show = |text: &str| EnvGrant::parse(text).map(|env| format!("{}: {}", env.name, env.value.text().unwrap()));
    for (text, expected) in [
        ("A=1", "A: 1"),
        ("A=", "A: "),
        ("A=b=c", "A: b=c"),
        ("A", "\"A\" an environment variable is written `NAME=VALUE`"),
        ("=1", "\"=1\" the name of an environment variable is empty"),
    ] {
        check(show, text, expected);
    }
}

#[test]
fn only_the_public_internet_is_public() {
    for public in ["93.184.216.34", "168.63.129.17", "2606:4700::1", "2001:4860:4860::8888", "::ffff:93.184.216.34"] {
        assert!(is_public(public.parse().unwrap()), "{public}");
    }
    for inside in [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "168.63.129.16",
        "169.254.169.254",
        "172.31.255.255",
        "192.0.0.192",
        "192.88.99.1",
        "192.168.0.1",
        "198.19.0.1",
        "203.0.113.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::10.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
        "2001::a00:1",
        "2001:db8::1",
        "2002:a00:1::",
        "3fff::1",
        "fd00:ec2::254",
        "fe80::1",
        "ff02::1",
    ] {
        assert!(!is_public(inside.parse().unwrap()), "{inside}");
    }
}

proptest! {
    #[test]
    fn what_is_written_can_be_read_back(text in r"(\*|\*\.[a-z]{1,5}|[a-z]{1,5}|10\.0\.0\.0/[89]|\[::1\]):([1-9][0-9]{0,3}|\*|1-[1-9][0-9]?)") {
        let pattern = NetPattern::parse(&text).unwrap();
        prop_assert_eq!(NetPattern::parse(&pattern.to_string()).unwrap(), pattern);
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in r"\PC{0,20}|[a-z:/\[\]*.0-9-]{0,20}") {
        for error in [
            NetPattern::parse(&text).err(),
            HttpGrant::parse(&text).err(),
            DirGrant::parse(&text, Access::ReadOnly).err(),
            EnvGrant::parse(&text).err(),
        ].into_iter().flatten() {
            prop_assert!(text.get(error.range).is_some());
        }
    }
}

#[test]
fn flags_of_configuration_and_secrets_are_read() {
    let value = ConfigGrant::parse("a=b=c").unwrap();
    assert_eq!((value.key.as_str(), value.value.text()), ("a", Some("b=c")));
    assert_eq!(ConfigGrant::parse("a={{ b }}").unwrap().value.text(), Some("{{ b }}"), "a flag has no variables");
    assert!(ConfigGrant::parse("a").is_err() && ConfigGrant::parse("=b").is_err());
    assert_eq!(SecretGrant::parse("api-key").unwrap().name, "api-key");
    let error = SecretGrant::parse("api-key=hunter2").unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
    assert!(SecretGrant::parse("API").is_err());
}
