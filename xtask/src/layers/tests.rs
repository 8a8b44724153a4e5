use serde_json::json;

use super::*;

fn findings(package: &str, dependency: &str, kind: Option<&str>) -> Vec<String> {
    let dependencies = json!([{ "name": dependency, "kind": kind }]);
    let metadata = json!({ "packages": [{ "name": package, "dependencies": dependencies }] });
    let (crates, edges) = read(&metadata).expect("the test writes what cargo writes");
    check(&crates, &edges).iter().map(ToString::to_string).collect()
}

#[test]
fn accepts_an_edge_of_the_table() {
    assert!(findings("wharf-gateway", "wharf-trigger", None).is_empty());
    assert!(findings("wharf-gateway", "serde", None).is_empty());
}

#[test]
fn denies_an_edge_upwards() {
    let found = findings("wharf-host", "wharf-runtime", None);
    assert_eq!(
        found,
        [
            "crates/host/Cargo.toml:1: wharf-host uses wharf-runtime: the walk goes downwards only; return a value instead"
        ]
    );
    // Not even for a test: what a test needs is below it.
    assert_eq!(findings("wharf-runtime", "wharf-gateway", Some("dev")).len(), 1);
}

#[test]
fn denies_an_edge_downwards_that_nobody_wrote_down() {
    let found = findings("wharf-gateway", "wharf-component", None);
    assert!(found[0].contains("not in the table"), "{found:?}");
}

#[test]
fn denies_the_engine_outside_its_crates() {
    assert_eq!(findings("wharf-gateway", "wasmtime", None).len(), 1);
    assert_eq!(findings("wharf-trigger", "wasmtime", None).len(), 1);
    assert!(findings("wharf-trigger", "wasmtime-wasi-http", None).is_empty());
    assert!(findings("wharf-runtime", "wasmtime-wasi", None).is_empty());
}

#[test]
fn lets_tests_use_what_their_crate_may_not() {
    assert_eq!(findings("wharf-runtime", "hyper", None).len(), 1);
    assert!(findings("wharf-runtime", "hyper", Some("dev")).is_empty());
    assert_eq!(findings("wharf-app", "tokio", Some("dev")).len(), 1);
}

#[test]
fn the_testkit_is_for_tests() {
    assert!(findings("wharf-gateway", TESTKIT, Some("dev")).is_empty());
    assert_eq!(findings("wharf-gateway", TESTKIT, None).len(), 1);
    assert!(findings(TESTKIT, "hyper", None).is_empty());
}

#[test]
fn wants_a_place_for_every_crate() {
    assert!(findings("wharf-types", "serde", None)[0].contains("a crate without a place"));
}

#[test]
fn the_table_itself_goes_downwards() {
    for (place, known) in CRATES.iter().enumerate() {
        for used in known.uses {
            let below = CRATES.iter().position(|other| other.name == *used).expect("the table names crates of its own");
            assert!(below < place, "{} uses {used}, which stands above it", known.name);
        }
    }
}
