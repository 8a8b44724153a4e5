//! Values on their way: they take little memory, and nothing is left of those that do not arrive.

use std::fs;
use std::future::poll_fn;
use std::path::Path;
use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use wharf_blobstore::api::{ByteRange, Error, Store, Upload};
use wharf_kit::Namespace;

use crate::children;
use crate::fixture::{Fixture, PIECE, becomes, content, drain, for_every_backend, get, id, is_absent, names, open};
use crate::fixture::{put, server, set, settings};

for_every_backend!(
    an_upload_that_is_given_up_leaves_nothing,
    an_upload_that_is_given_up_leaves_what_was_there,
    an_upload_that_is_dropped_while_it_ends_is_whole_or_nowhere,
    nobody_sees_an_upload_before_its_end,
    the_last_of_two_uploads_stays,
    a_reader_that_goes_away_harms_nobody,
);

async fn fill(upload: &mut dyn Upload, len: usize) {
    for at in 0..len.div_ceil(PIECE) {
        upload.write(content(at, PIECE.min(len - at * PIECE))).await.unwrap();
    }
}

/// Polls once and gives up.
async fn give_up_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Poll::Ready(done) = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
            return Some(done);
        }
        tokio::task::yield_now().await;
    }
    None
}

async fn an_upload_that_is_given_up_leaves_nothing(fixture: Fixture) {
    let store = &*fixture.store();
    for len in [0, 10, 2 << 20, 6 << 20, (16 << 20) + 5] {
        let id = id("", &format!("given-up-{len}"));
        let mut upload = store.write(&id).await.unwrap();
        fill(&mut *upload, len).await;
        drop(upload);
        // In the middle of a piece, and in the middle of beginning a part.
        for polls in [1, 3] {
            let mut upload = store.write(&id).await.unwrap();
            fill(&mut *upload, len).await;
            let _ = give_up_after(polls, upload.write(content(0, PIECE))).await;
            drop(upload);
        }
        assert!(is_absent(store, &id).await);
    }
    assert_eq!(names(store, "").await, set(&[]));
    becomes("the end of what was given up", async || !fixture.has_leftovers()).await;
}

async fn an_upload_that_is_given_up_leaves_what_was_there(fixture: Fixture) {
    let store = &*fixture.store();
    let id = id("", "a");
    put(store, &id, "old").await;
    for len in [10, 6 << 20] {
        let mut upload = store.write(&id).await.unwrap();
        fill(&mut *upload, len).await;
        assert_eq!(get(store, &id).await, b"old");
        drop(upload);
        assert_eq!(get(store, &id).await, b"old");
    }
    becomes("the end of what was given up", async || !fixture.has_leftovers()).await;
}

async fn an_upload_that_is_dropped_while_it_ends_is_whole_or_nowhere(fixture: Fixture) {
    let store = &*fixture.store();
    for len in [10, 6 << 20] {
        for polls in 0..6 {
            let id = id("", &format!("dropped-{len}-{polls}"));
            let mut upload = store.write(&id).await.unwrap();
            fill(&mut *upload, len).await;
            let finished = give_up_after(polls, upload.finish()).await;
            if let Some(finished) = finished {
                finished.unwrap();
                assert_eq!(store.info(&id).await.unwrap().size_bytes, len as u64);
            }
            if !is_absent(store, &id).await {
                assert_eq!(get(store, &id).await.len(), len);
            }
        }
    }
    becomes("the end of what was given up", async || !fixture.has_leftovers()).await;
    for name in names(store, "").await {
        assert!(matches!(get(store, &id("", &name)).await.len(), 10 | 0x60_0000), "{name}");
    }
}

async fn nobody_sees_an_upload_before_its_end(fixture: Fixture) {
    let store = &*fixture.store();
    let id = id("", "a");
    let mut upload = store.write(&id).await.unwrap();
    for _ in 0..100 {
        upload.write(content(0, PIECE)).await.unwrap();
    }
    assert!(is_absent(store, &id).await);
    assert_eq!(names(store, "").await, set(&[]));
    assert!(matches!(store.info(&id).await, Err(Error::NoObject(_))));
    upload.finish().await.unwrap();
    assert_eq!(store.info(&id).await.unwrap().size_bytes, 100 * PIECE as u64);
}

async fn the_last_of_two_uploads_stays(fixture: Fixture) {
    let store = &*fixture.store();
    let id = id("", "a");
    let (mut one, mut two) = (store.write(&id).await.unwrap(), store.write(&id).await.unwrap());
    for _ in 0..3 {
        one.write(content(1, PIECE)).await.unwrap();
        two.write(content(2, PIECE)).await.unwrap();
    }
    two.finish().await.unwrap();
    assert!(get(store, &id).await == content(2, PIECE).repeat(3));
    one.finish().await.unwrap();
    assert!(get(store, &id).await == content(1, PIECE).repeat(3));
}

async fn a_reader_that_goes_away_harms_nobody(fixture: Fixture) {
    let store = &*fixture.store();
    let (id, bytes) = (id("", "a"), content(0, 3 << 20));
    put(store, &id, bytes.clone()).await;
    for polls in 0..20 {
        let mut download = store.read(&id, ByteRange::ALL).await.unwrap();
        let _ = give_up_after(polls, download.read()).await;
    }
    assert!(get(store, &id).await == bytes);
}

/// A large object, and the memory that it may take.
const LARGE: usize = 160 << 20;
const MEMORY: usize = 48 << 20;

/// Returns the most memory that this process ever had.
fn peak_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// A piece that is like no other.
fn piece(at: usize) -> Bytes {
    let mut piece = vec![u8::try_from(at % 251).unwrap(); PIECE];
    piece[..8].copy_from_slice(&(at as u64).to_le_bytes());
    piece.into()
}

async fn carry_a_large_object(store: &dyn Store) {
    let mut upload = store.write(&id("", "large")).await.unwrap();
    for at in 0..LARGE / PIECE {
        upload.write(piece(at)).await.unwrap();
    }
    upload.finish().await.unwrap();
    store.copy(&id("", "large"), &id("", "copy")).await.unwrap();
    let mut download = store.read(&id("", "copy"), ByteRange::ALL).await.unwrap();
    assert_eq!(download.size_bytes(), LARGE as u64);
    let mut ahead = Vec::new();
    let mut at = 0;
    while let Some(more) = download.read().await.unwrap() {
        ahead.extend_from_slice(&more);
        while ahead.len() >= PIECE {
            assert!(ahead[..PIECE] == piece(at), "piece {at}");
            ahead.drain(..PIECE);
            at += 1;
        }
    }
    assert_eq!((at, ahead.len()), (LARGE / PIECE, 0));
    let tail = ByteRange::new(LARGE as u64 - 5, u64::MAX).unwrap();
    assert_eq!(drain(store.read(&id("", "copy"), tail).await.unwrap()).await.unwrap().len(), 5);
}

#[tokio::test]
async fn carries_a_large_object_when_asked() {
    let Some(folder) = children::folder() else { return };
    let settings = children::settings();
    let backend = if settings.is_empty() { "files" } else { "s3" };
    let store = open(backend, &settings, &folder).unwrap().store(&Namespace::own("shop", "images")).unwrap();
    let before = peak_bytes();
    carry_a_large_object(&*store).await;
    let used = peak_bytes() - before;
    assert!(used < MEMORY, "{} KiB", used / 1024);
}

fn measure(folder: &Path, settings: &str) {
    children::run("streams::carries_a_large_object_when_asked", folder, &[], settings);
}

#[test]
fn a_large_object_in_files_takes_little_memory() {
    measure(tempfile::tempdir().unwrap().path(), "");
}

#[test]
fn a_large_object_in_s3_takes_little_memory() {
    let Some(server) = server() else { return };
    measure(tempfile::tempdir().unwrap().path(), &settings(&server, ""));
}
