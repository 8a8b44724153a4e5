//! Files survive a process that is killed at any moment: what was acknowledged is there, whole; what was not is whole or not there.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use wharf_blobstore::api::{Error, Store};
use wharf_kit::Namespace;

use crate::children;
use crate::fixture::{PIECE, container, content, id, names, open, try_get, try_put};

const KILLS: usize = 200;

/// Few, so that objects are overwritten and moved over each other.
const OBJECTS: usize = 7;

fn store(folder: &Path) -> Arc<dyn Store> {
    open("files", "", folder).unwrap().store(&Namespace::own("shop", "images")).unwrap()
}

/// Returns the name of an object; some are too long for a file.
fn name(object: usize) -> String {
    if object.is_multiple_of(3) { format!("{object}{}", "x".repeat(500)) } else { format!("object/{object}") }
}

/// The content of an object says what it should be: its version, and bytes that follow from it.
fn version(number: usize) -> Bytes {
    let mut bytes = (number as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(&content(number, (number * 7919) % (3 * PIECE)));
    bytes.into()
}

/// Returns the version of what was read.
fn number(bytes: &[u8]) -> usize {
    let number = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    let number = usize::try_from(number).unwrap();
    assert!(bytes == version(number), "version {number} is not whole");
    number
}

/// Writes, copies, moves and deletes until somebody ends it. Says what it does before and after it.
#[tokio::test]
async fn changes_objects_for_ever_when_asked() {
    let Some(folder) = children::folder() else { return };
    let start: usize = children::settings().parse().unwrap();
    let store = store(&folder);
    let mut out = std::io::stdout().lock();
    for number in start.. {
        let (one, two) = (number % OBJECTS, (number / OBJECTS) % OBJECTS);
        let (from, to) = (id("c", &name(one)), id("c", &name(two)));
        let (line, result) = match number % 5 {
            0 => {
                writeln!(out, "\nbegin move {one} {two} {number}").unwrap();
                ("end", store.rename(&from, &to).await)
            }
            1 => {
                writeln!(out, "\nbegin delete {one} {one} {number}").unwrap();
                ("end", store.delete(&from.container, &[from.name]).await)
            }
            2 => {
                writeln!(out, "\nbegin copy {one} {two} {number}").unwrap();
                ("end", store.copy(&from, &to).await)
            }
            _ => {
                writeln!(out, "\nbegin write {one} {one} {number}").unwrap();
                ("end", try_put(&*store, &from, &version(number)).await)
            }
        };
        match result {
            Ok(()) => writeln!(out, "{line}").unwrap(),
            Err(Error::NoObject(_)) => writeln!(out, "nothing").unwrap(),
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// What there is of each object.
type Model = BTreeMap<usize, usize>;

/// One step of the child.
#[derive(Debug)]
struct Step {
    verb: String,
    one: usize,
    two: usize,
    number: usize,
}

impl Step {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix("begin ")?.split(' ');
        let verb = words.next()?.to_owned();
        let mut next = || words.next()?.parse().ok();
        Some(Self { verb, one: next()?, two: next()?, number: next()? })
    }

    fn apply(&self, model: &mut Model) {
        let found = model.get(&self.one).copied();
        match self.verb.as_str() {
            "write" => drop(model.insert(self.one, self.number)),
            "delete" => drop(model.remove(&self.one)),
            "copy" => drop(found.map(|found| model.insert(self.two, found))),
            _ => {
                model.remove(&self.one);
                found.map(|found| model.insert(self.two, found));
            }
        }
    }

    /// Returns what may be there when it did not end.
    fn outcomes(&self, before: &Model) -> Vec<Model> {
        let mut after = before.clone();
        self.apply(&mut after);
        let mut outcomes = vec![before.clone(), after];
        if self.verb == "move" {
            // Both names for a moment, never none.
            let mut both = before.clone();
            before.get(&self.one).map(|found| both.insert(self.two, *found));
            outcomes.push(both);
        }
        outcomes
    }
}

fn spawn(folder: &Path, start: usize) -> Child {
    let mut command = children::command("kills::changes_objects_for_ever_when_asked", folder, &[]);
    command.env("WHARF_TEST_BLOBS_SETTINGS", start.to_string());
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Lets a child go on for so many steps, kills it in the next one, and returns the number of that.
fn live_and_die(folder: &Path, start: usize, steps: usize, model: &mut Model) -> (usize, Option<Step>) {
    let mut child = spawn(folder, start);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut under_way, mut ended, mut last, mut is_killed) = (None::<Step>, 0, start, false);
    // After the kill, what it said before that is still read.
    while let Some(Ok(line)) = lines.next() {
        if let Some(step) = Step::parse(&line) {
            last = step.number;
            under_way = Some(step);
        } else if line == "end" {
            under_way.take().unwrap().apply(model);
            ended += 1;
        } else if line == "nothing" {
            let step = under_way.take().unwrap();
            assert!(!model.contains_key(&step.one), "{step:?} found nothing");
        }
        if ended >= steps && under_way.is_some() && !is_killed {
            // At different places of the step, without looking at a clock.
            (0..start % 50).for_each(|_| std::thread::yield_now());
            child.kill().unwrap();
            is_killed = true;
        }
    }
    assert!(is_killed, "it ended by itself");
    child.wait().unwrap();
    (last, under_way)
}

async fn look(store: &dyn Store) -> Model {
    let mut found = Model::new();
    for object in 0..OBJECTS {
        match try_get(store, &id("c", &name(object))).await {
            Ok(bytes) => drop(found.insert(object, number(&bytes))),
            Err(Error::NoObject(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(names(store, "c").await, found.keys().map(|object| name(*object)).collect());
    found
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path()).create(&container("c")).await.unwrap();
    let mut model = Model::new();
    let mut number = 0;
    for kill in 0..KILLS {
        let (last, under_way) = live_and_die(folder.path(), number, kill % 9, &mut model);
        let store = store(folder.path());
        let found = look(&*store).await;
        let outcomes = under_way.as_ref().map_or_else(|| vec![model.clone()], |step| step.outcomes(&model));
        assert!(outcomes.contains(&found), "kill {kill}: {found:?} after {under_way:?} of {model:?}");
        model = found;
        number = last + 1;
        let new = folder.path().join("data/blobstore/shop/images/new");
        assert_eq!(std::fs::read_dir(new).map_or(0, Iterator::count), 0, "kill {kill}");
    }
    assert!(number > KILLS, "it got somewhere");
}
