use super::*;

const CONFIG_TEXT: &str = r#"
[licenses]
allow = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"]
exceptions = [{ crate = "odd", allow = ["CC0-1.0"] }]
[bans]
deny = [{ crate = "openssl", reason = "no" }, { crate = "http:<1", reason = "old" }]
skip = [{ crate = "syn:2", reason = "2026-11: macros" }]
"#;

fn found(lines: &str) -> Vec<String> {
    let config = CONFIG_TEXT.parse().expect("the test writes TOML");
    check(&config, &parse(lines).collect()).iter().map(ToString::to_string).collect()
}

const SYN: &str = "syn v2.0.1|MIT\nsyn v3.0.0|MIT (*)\n";

#[test]
fn accepts_what_is_allowed() {
    assert_eq!(
        found(&format!("{SYN}a v1.0.0 (proc-macro)|MIT OR LGPL-3.0\nwharf-app v0.1.0 (/here)|Nothing")),
        [""; 0]
    );
}

#[test]
fn denies_a_banned_crate_in_the_banned_versions() {
    assert!(found(&format!("{SYN}openssl v0.10.1|MIT"))[0].contains("openssl 0.10.1 is banned: no"));
    assert!(found(&format!("{SYN}http v0.2.9|MIT"))[0].contains("http 0.2.9 is banned: old"));
    assert!(found(&format!("{SYN}http v1.5.0|MIT")).is_empty());
}

#[test]
fn denies_a_second_version() {
    let found = found(&format!("{SYN}rand v0.8.1|MIT\nrand v0.9.0|MIT"));
    assert!(found[0].contains("rand is here as 0.8.1 and 0.9.0"), "{found:?}");
}

#[test]
fn a_skip_must_skip_something() {
    let found = found("syn v3.0.0|MIT");
    assert!(found[0].contains("syn is skipped for nothing"), "{found:?}");
}

#[test]
fn reads_licences_as_expressions() {
    let allowed = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "ISC"].into();
    let fine = |license| is_allowed(license, &allowed);
    assert!(fine("GPL-3.0 OR MIT") && fine("Apache-2.0/GPL-3.0"));
    assert!(fine("Apache-2.0 WITH LLVM-exception") && fine("ISC AND (GPL-3.0 OR MIT)"));
    assert!(!fine("MIT AND GPL-3.0") && !fine("ISC AND (GPL-3.0 OR BSD-3-Clause)") && !fine(""));
    assert!(!fine("Apache-2.0 WITH other-exception"));
}

#[test]
fn an_exception_is_for_one_crate() {
    assert!(found(&format!("{SYN}odd v1.0.0|CC0-1.0")).is_empty());
    assert!(found(&format!("{SYN}even v1.0.0|CC0-1.0"))[0].contains("has the licence `CC0-1.0`"));
}
