//! Which backend a label gets, and which labels share a store.

use super::*;
use crate::Who;
use crate::granted::{Access, Grant, Granted};
use crate::usage::{Tally, UsageTable};
use std::path::Path;
use std::time::Duration;

/// A store that only knows which one it is.
struct Named(String);

struct Shelf(&'static str);

impl Opened<Named> for Shelf {
    fn store(&self, namespace: &Namespace) -> Result<Arc<Named>, BackendError> {
        Ok(Arc::new(Named(format!("{}:{namespace}", self.0))))
    }

    fn place(&self, namespace: &Namespace) -> String {
        format!("{}:{namespace}", self.0)
    }
}

const BACKENDS: &[Backend<Named>] = &[
    Backend { name: "first", summary: "", durability: "", example: "", open: |_, _| Ok(Arc::new(Shelf("first"))) },
    Backend { name: "second", summary: "", durability: "", example: "", open: |_, _| Ok(Arc::new(Shelf("second"))) },
    Backend {
        name: "broken",
        summary: "",
        durability: "",
        example: "",
        open: |_, _| Err(BackendError::Settings("missing field `url`".into())),
    },
];

fn bindings(every: &[(&str, Binding)], app: &[((&str, &str), Binding)]) -> Bindings<Named> {
    let bounds = Bounds { timeout: Duration::from_secs(1), concurrency: 1, size_bytes: 10 };
    let declared = Declared {
        every: every.iter().map(|(label, binding)| ((*label).to_owned(), binding.clone())).collect(),
        app: app.iter().map(|((app, label), b)| (((*app).to_owned(), (*label).to_owned()), b.clone())).collect(),
    };
    Bindings::new("keyvalue", BACKENDS, bounds, Embedded::new(Path::new("state"), "keyvalue"), declared)
}

fn to(backend: &str) -> Binding {
    Binding { backend: backend.to_owned(), ..Binding::default() }
}

fn store(bindings: &Bindings<Named>, app: &str, label: &str) -> String {
    bindings.bind(app, label, BoundsOverride::default()).map_or_else(|error| error.to_string(), |b| b.store.0.clone())
}

#[test]
fn a_label_gets_the_first_backend_unless_the_operator_says_otherwise() {
    let bindings = bindings(&[("carts", to("second"))], &[(("shop", "orders"), to("second"))]);
    assert_eq!(store(&bindings, "shop", "default"), "first:shop/default");
    assert_eq!(store(&bindings, "shop", "carts"), "second:shop/carts");
    assert_eq!(store(&bindings, "shop", "orders"), "second:shop/orders");
    assert_eq!(store(&bindings, "blog", "orders"), "first:blog/orders");
}

#[test]
fn labels_meet_only_where_the_operator_names_one_namespace_for_both() {
    let shared = Binding { namespace: Some("all-carts".into()), ..to("second") };
    let bindings = bindings(&[("carts", shared)], &[]);
    assert_eq!(store(&bindings, "shop", "carts"), store(&bindings, "blog", "carts"));
    assert_ne!(store(&bindings, "shop", "default"), store(&bindings, "blog", "default"));
}

#[test]
fn one_store_is_opened_once() {
    let bindings = bindings(&[], &[]);
    let bind = || bindings.bind("shop", "default", BoundsOverride::default()).map(|bound| bound.store);
    let (Ok(one), Ok(two)) = (bind(), bind()) else { panic!("cannot bind") };
    assert!(Arc::ptr_eq(&one, &two));
}

#[test]
fn what_is_wrong_is_said() {
    let bindings = bindings(&[("a", to("redsi")), ("b", to("broken"))], &[]);
    assert_eq!(
        store(&bindings, "shop", "a"),
        "keyvalue `a` is bound to the backend `redsi`, which is none of first, second, broken"
    );
    assert_eq!(store(&bindings, "shop", "b"), "cannot open keyvalue `b` with the backend `broken`");
    assert!(store(&bindings, "shop", "../b").contains("is no label"));
}

#[test]
fn a_component_reaches_what_it_was_granted_and_nothing_else() {
    let who = Who { app: "shop".into(), component: "api".into() };
    let grant = Grant { label: "default".into(), access: Access::Read, bounds: BoundsOverride::default() };
    let usage = UsageTable::default();
    let Ok(granted) = Granted::bind(&bindings(&[], &[]), who, &[grant], &usage) else { panic!("cannot bind") };
    let mut tally = Tally::default();
    assert_eq!(granted.label("default", &mut tally).map(|label| label.store.0.as_str()), Some("first:shop/default"));
    assert_eq!(granted.describe(), ["keyvalue default (read) in first first:shop/default"]);
    for other in ["other", "../default", ""] {
        assert!(granted.label(other, &mut tally).is_none(), "{other}");
    }
    assert_eq!(tally.counts().denied, 3);
    assert_eq!(usage.of("shop", "api", "keyvalue", "").counts().denied, 3);
}
