//! The whole walk of a request, from the bytes of its head to those of its answer, and what the simplest client needs.
//!
//! One at a time on one connection, from a guest that says hello.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Result;
use served::{Client, Served};
use wharf_app::{App, Reuse};
use wharf_runtime::Settings;

use crate::{Places, Stop};

/// Few, because valgrind has less address space to give than a processor.
const INSTANCES: u32 = 4;

/// As in the benchmark of HTTP.
const REUSE: Reuse = Reuse::Bounded { requests: 128, concurrent: 16, idle: Duration::from_secs(1) };

/// Returns one request to that guest.
pub(crate) fn of(guest: &str, reuse: bool, places: &Places) -> Result<Stop> {
    let served = Served::new(&places.state, Settings { instances: INSTANCES, ..Settings::default() })?;
    let file = places.guests.join(format!("{guest}.wasm"));
    let mut app = App::implicit("counted", &file.display().to_string());
    if reuse {
        app.components.iter_mut().for_each(|component| component.reuse = REUSE);
    }
    drop(served.node.swap(&app, Path::new("."))?);
    let cores = served.listen()?;
    let client = Mutex::new(Client::connect(cores.address())?);
    Ok(Box::new(move || {
        let _in_use = (&served, &cores);
        let mut client = client.lock().expect("one thread");
        let body = client.body().expect("an answer");
        assert_eq!(body, b"hello\n");
    }))
}
