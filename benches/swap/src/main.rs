//! Swaps two versions of an app in a node of this process, and asks the new one at once.
//!
//! `swap OLD.wasm NEW.wasm STATE COUNT` prints, for each swap, the microseconds until it was done and until the first
//! byte of an answer of the new version. The two components answer differently; both are compiled before the first.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use served::{Client, PATIENCE, Served};
use wharf_app::App;
use wharf_runtime::Settings;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [old, new, state, count] = args.as_slice() else { bail!("usage: swap OLD.wasm NEW.wasm STATE COUNT") };
    let count: usize = count.parse().context("COUNT is a number")?;
    let served = Served::new(Path::new(state), Settings::default())?;
    let node = &served.node;
    let apps = [old, new].map(|file| App::implicit("swapped", file));
    for app in &apps {
        drop(node.swap(app, Path::new("."))?);
    }

    let cores = served.listen()?;
    let mut client = Client::connect(cores.address())?;
    let mut before = client.body()?;
    for round in 0..count {
        let start = Instant::now();
        let (_, old) = node.swap(&apps[round % 2], Path::new("."))?;
        let swapped = start.elapsed();
        let now = client.body()?;
        let answered = start.elapsed();
        ensure!(now != before, "the old version still answers");
        before = now;
        println!("{} {}", swapped.as_micros(), answered.as_micros());
        ensure!(old.wait(PATIENCE), "the old version never ends");
    }
    drop(client);
    cores.stop();
    Ok(())
}
