//! The example `thumbnails`: a Rust component that keeps images as blobs, in files and in S3, and scales them.

use crate::support::{curl, example, send, wharf};
use std::path::Path;
use wharf_testkit::services::S3;
use wharf_testkit::{App, Program, Server, eventually};

fn thumbnails() -> App {
    example("thumbnails", include_str!("../../../../examples/thumbnails/wharf.toml"), "thumbnails")
}

fn start(program: &Program, app: &App) -> Server {
    program.up(app.folder()).with("--no-build").state(&app.path("state")).start()
}

#[track_caller]
fn put(server: &Server, name: &str, bytes: &[u8]) {
    let answer = send(server, "PUT", &format!("/images/{name}"), bytes);
    assert_eq!(answer.status(), 201, "{}\n{}", answer.text(), server.log());
}

#[track_caller]
fn get(server: &Server, path: &str, kind: &str) -> Vec<u8> {
    let answer = server.get("t", path);
    assert_eq!((answer.status(), answer.header("content-type")), (200, Some(kind)), "{}", answer.text());
    answer.body
}

type Pixel = [u8; 3];
const RED: Pixel = [200, 0, 0];
const BLUE: Pixel = [0, 0, 200];

/// Returns a PNG, not compressed, whose left half has one colour and whose right half another.
fn png(width: u32, height: u32, left: Pixel, right: Pixel) -> Vec<u8> {
    // Each row begins with its filter, which is none.
    let mut row = vec![0];
    (0..width).for_each(|x| row.extend(if x < width / 2 { left } else { right }));
    let raw: Vec<u8> = (0..height).flat_map(|_| row.clone()).collect();
    let mut data = vec![0x78, 0x01];
    let mut blocks = raw.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let len = u16::try_from(block.len()).unwrap();
        data.push(u8::from(blocks.peek().is_none()));
        data.extend([len.to_le_bytes(), (!len).to_le_bytes()].concat());
        data.extend(block);
    }
    data.extend(adler32(&raw).to_be_bytes());
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 2, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, content) in [(b"IHDR", header), (b"IDAT", data), (b"IEND", Vec::new())] {
        file.extend(u32::try_from(content.len()).unwrap().to_be_bytes());
        let checked = [&kind[..], &content].concat();
        file.extend(&checked);
        file.extend(crc32(&checked).to_be_bytes());
    }
    file
}

fn adler32(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1, 0), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65521;
        (a, (b + a) % 65521)
    });
    b << 16 | a
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// Returns a grey JPEG of 8 × 8 pixels, as small as one can be.
fn jpeg() -> Vec<u8> {
    let one_code = |class: u8| [&[0xff, 0xc4, 0, 20, class, 1][..], &[0; 16]].concat();
    let mut file = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
    file.extend([1; 64]);
    file.extend([0xff, 0xc0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0]);
    file.extend(one_code(0x00));
    file.extend(one_code(0x10));
    file.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0x3f, 0xff, 0xd9]);
    file
}

/// Returns what a PNG says its size is.
#[track_caller]
fn size(png: &[u8]) -> (u32, u32) {
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"), "{:?}", String::from_utf8_lossy(png));
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

/// Bytes that do not repeat.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

/// What holds wherever the images are.
fn serves(server: &mut Server) {
    images_come_back(server);
    images_are_scaled(server);
    what_is_no_image_is_refused(server);
    what_is_asked_wrongly_is_refused(server);
    assert!(server.is_alive());
}

fn images_come_back(server: &Server) {
    // Of several parts in S3.
    let large = noise(12 << 20);
    put(server, "large", &large);
    assert!(get(server, "/images/large", "application/octet-stream") == large);
    put(server, "large", b"small");
    assert_eq!(get(server, "/images/large", "application/octet-stream"), b"small");
    let image = png(40, 20, RED, BLUE);
    put(server, "a.png", &image);
    assert_eq!(get(server, "/images/a.png", "image/png"), image);
    // One that breaks off, and one that is too large.
    let mut connection = server.connect();
    connection.send("PUT /images/broken HTTP/1.1\r\nhost: t\r\ncontent-length: 100000\r\n\r\nsome");
    drop(connection);
    assert_eq!(send(server, "PUT", "/images/huge", &vec![0; (16 << 20) + 1]).status(), 413);
    let mut connection = server.connect();
    connection.send("PUT /images/huge HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n");
    for _ in 0..17 {
        let sent = connection.try_send([b"100000\r\n", &vec![0; 1 << 20][..], b"\r\n"].concat());
        if sent.is_err() {
            break;
        }
    }
    drop(connection);
    for name in ["broken", "huge"] {
        assert_eq!(server.get("t", &format!("/images/{name}")).status(), 404, "{name}");
    }
}

fn images_are_scaled(server: &Server) {
    let small = |name: &str, width: u32| get(server, &format!("/thumbnails/{name}?width={width}"), "image/png");
    put(server, "wide.png", &png(400, 200, RED, BLUE));
    let thumbnail = small("wide.png", 20);
    assert_eq!(size(&thumbnail), (20, 10));
    assert_eq!(small("wide.png", 20), thumbnail, "it is kept");
    assert_eq!(size(&small("wide.png", 7)), (7, 3));
    assert_eq!(size(&small("wide.png", 1)), (1, 1));
    assert_eq!(size(&small("wide.png", 1000)), (400, 200), "it is not made larger");
    assert_eq!(size(&get(server, "/thumbnails/wide.png", "image/png")), (256, 128));
    // The same picture in another size, and other pictures in the same size.
    put(server, "narrow.png", &png(40, 20, RED, BLUE));
    assert_eq!(small("narrow.png", 20), thumbnail);
    put(server, "red.png", &png(400, 200, RED, RED));
    assert_ne!(small("red.png", 20), thumbnail);
    // What is made of an image goes with it.
    put(server, "wide.png", &png(400, 200, RED, RED));
    assert_eq!(small("wide.png", 20), small("red.png", 20));
    put(server, "again.png", &thumbnail);
    assert_eq!(size(&small("again.png", 10)), (10, 5), "a thumbnail is an image");
    put(server, "grey.jpg", &jpeg());
    assert_eq!(size(&small("grey.jpg", 4)), (4, 4));
}

fn what_is_no_image_is_refused(server: &Server) {
    let good = png(40, 20, RED, BLUE);
    let claims = |width: u32, height: u32| {
        let mut image = good.clone();
        image[16..24].copy_from_slice(&[width.to_be_bytes(), height.to_be_bytes()].concat());
        let crc = crc32(&image[12..29]);
        image[29..33].copy_from_slice(&crc.to_be_bytes());
        image
    };
    let mut flipped = good.clone();
    flipped[100] ^= 0x55;
    for (name, bytes) in [
        ("empty", Vec::new()),
        ("text", b"hello".to_vec()),
        ("half.png", good[..good.len() / 2].to_vec()),
        ("flipped.png", flipped),
        ("bomb.png", claims(u32::MAX >> 1, u32::MAX >> 1)),
        ("large.png", claims(60_000, 60_000)),
        ("long.png", claims(4097, 1)),
        ("none.png", claims(0, 0)),
        ("short.png", claims(4096, 4096)),
        ("half.jpg", jpeg()[..100].to_vec()),
        ("noise.jpg", [&jpeg()[..60], &noise(1000)].concat()),
    ] {
        put(server, name, &bytes);
        let answer = server.get("t", &format!("/thumbnails/{name}?width=10"));
        assert_eq!(answer.status(), 422, "{name}: {}\n{}", answer.text(), server.log());
    }
}

fn what_is_asked_wrongly_is_refused(server: &Server) {
    for (method, path, status) in [
        ("GET", "/", 404),
        ("GET", "/images/missing", 404),
        ("GET", "/thumbnails/missing?width=10", 404),
        ("GET", "/images/", 400),
        ("GET", "/images/..%2f..%2fa.png", 400),
        ("PUT", "/images/a%00b", 400),
        ("PUT", "/images/a/b", 400),
        ("GET", "/thumbnails/a.png?width=0", 400),
        ("GET", "/thumbnails/a.png?width=-1", 400),
        ("GET", "/thumbnails/a.png?width=4294967297", 400),
        ("GET", "/thumbnails/a.png?width=", 400),
        ("POST", "/images/a.png", 405),
        ("PUT", "/thumbnails/a.png", 405),
    ] {
        let answer = send(server, method, path, b"");
        assert_eq!(answer.status(), status, "{method} {path}: {}", answer.text());
    }
}

#[test]
fn images_are_kept_in_the_state_folder() {
    let app = thumbnails();
    let mut server = start(&wharf(), &app);
    serves(&mut server);
    let blobs = app.path("state/data/blobstore/thumbnails");
    assert_eq!(std::fs::read(blobs.join("images/own/a.png")).unwrap(), png(40, 20, RED, BLUE));
    let kept = blobs.join("thumbnails/in/narrow.png/20.png");
    assert_eq!(size(&std::fs::read(&kept).unwrap()), (20, 10));
    nothing_is_on_its_way(&blobs);
    // What is kept is what is answered.
    std::fs::copy(blobs.join("thumbnails/in/red.png/20.png"), &kept).unwrap();
    let (kept, red) = ("/thumbnails/narrow.png?width=20", "/thumbnails/red.png?width=20");
    assert_eq!(get(&server, kept, "image/png"), get(&server, red, "image/png"));
    drop(server);
    let server = start(&wharf(), &app);
    assert_eq!(get(&server, "/images/a.png", "image/png"), png(40, 20, RED, BLUE));
}

/// Waits until no upload has left a file.
fn nothing_is_on_its_way(blobs: &Path) {
    for label in ["images", "thumbnails"] {
        let new = blobs.join(label).join("new");
        let is_empty = || (std::fs::read_dir(&new).unwrap().count() == 0).then_some(());
        eventually("an empty folder", is_empty);
    }
}

/// Asks for the uploads in parts that did not end.
fn uploads(s3: &S3) -> String {
    let (signature, user) = (format!("aws:amz:{}:s3", S3::REGION), format!("{}:{}", S3::ACCESS_KEY, S3::SECRET_KEY));
    let url = format!("{}/pictures?uploads=", s3.url());
    let (text, code) = curl(&["--fail", "--aws-sigv4", &signature, "--user", &user, &url]);
    assert!(code == 0 && text.contains("ListMultipartUploadsResult"), "{text}");
    text
}

#[test]
fn images_are_kept_in_s3() {
    let Some(s3) = S3::start() else { return };
    s3.create_bucket("pictures");
    let app = thumbnails();
    let binding = format!(
        "backend = \"s3\"\nendpoint = \"{}\"\nallow_http = true\nbucket = \"pictures\"\naccess_key = \"{}\"\n\
         secret_key = {{ env = \"PICTURES\" }}\nretries = 1\n",
        s3.url(),
        S3::ACCESS_KEY
    );
    app.write("node.toml", format!("[blobstore.images]\n{binding}\n[app.thumbnails.blobstore.thumbnails]\n{binding}"));
    let program = wharf().env("PICTURES", S3::SECRET_KEY);
    let mut server = start(&program, &app);
    serves(&mut server);
    assert!(!app.path("state/data/blobstore").exists());
    // Of the uploads that broke off nothing is left, not even parts.
    eventually("an empty list of uploads", || (!uploads(&s3).contains("<Key>")).then_some(()));
    // The node stays well while the server is away, and finds it again.
    s3.kill();
    let answer = server.get("t", "/images/a.png");
    assert_eq!(answer.status(), 503, "{}", answer.text());
    assert!(answer.text().contains("cannot be reached"), "{}", answer.text());
    assert_eq!(send(&server, "PUT", "/images/a.png", b"new").status(), 503);
    assert_eq!(server.get("t", "/images/").status(), 400);
    s3.restart();
    eventually("the image", || (server.get("t", "/images/a.png").status() == 200).then_some(()));
    assert_eq!(get(&server, "/images/a.png", "image/png"), png(40, 20, RED, BLUE));
    assert!(!server.log().contains(S3::SECRET_KEY));
}
