//! Images in, thumbnails out: `PUT` and `GET /images/NAME`, `GET /thumbnails/NAME?width=N`.

mod blobs;
mod scale;

use std::io::Write as _;

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasip2::io::streams::{InputStream, StreamError};

wasip2::http::proxy::export!(Thumbnails);

/// The width of a thumbnail when nobody says which.
const WIDTH: u32 = 256;
const WIDTH_MAX: u32 = 1024;

/// How much of a body is passed on at once.
const PIECE_BYTES: u64 = 64 * 1024;

struct Thumbnails;

/// An answer.
enum Answer {
    Text(u16, String),
    /// What is streamed from a blob, its length, and its type.
    Blob(InputStream, u64, &'static str),
    Png(Vec<u8>),
}

/// What goes wrong: a status, and a text for the client.
pub struct Problem(u16, String);

type Result<T> = std::result::Result<T, Problem>;

impl Guest for Thumbnails {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let answer = answer(request).unwrap_or_else(|Problem(status, text)| Answer::Text(status, text + "\n"));
        match answer {
            Answer::Text(status, text) => send(out, status, "text/plain; charset=utf-8", text.as_bytes()),
            Answer::Png(bytes) => send(out, 200, "image/png", &bytes),
            Answer::Blob(input, size, kind) => pass_on(out, &input, size, kind),
        }
    }
}

fn answer(request: IncomingRequest) -> Result<Answer> {
    let target = request.path_with_query().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut parts = path.strip_prefix('/').unwrap_or_default().splitn(2, '/');
    match (request.method(), parts.next(), parts.next()) {
        (Method::Put, Some("images"), Some(name)) => upload(checked(name)?, request),
        (Method::Get, Some("images"), Some(name)) => download(checked(name)?),
        (Method::Get, Some("thumbnails"), Some(name)) => thumbnail(checked(name)?, width(query)?),
        (_, Some("images" | "thumbnails"), Some(_)) => Err(Problem(405, "this cannot be done here".into())),
        _ => Err(Problem(404, "there is /images/NAME and /thumbnails/NAME?width=N".into())),
    }
}

fn checked(name: &str) -> Result<&str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let is_name = !name.is_empty() && name.len() <= 100 && name.chars().all(is_plain);
    is_name.then_some(name).ok_or_else(|| Problem(400, "a name has letters, digits, `.`, `-` and `_`".into()))
}

fn width(query: &str) -> Result<u32> {
    let Some(width) = query.split('&').find_map(|pair| pair.strip_prefix("width=")) else { return Ok(WIDTH) };
    let width = width.parse().ok().filter(|width| (1..=WIDTH_MAX).contains(width));
    width.ok_or_else(|| Problem(400, format!("`width` is a number from 1 to {WIDTH_MAX}")))
}

/// Streams the request's body into a blob. Nobody sees the blob before it is finished, so that an upload that breaks off leaves nothing.
fn upload(name: &str, request: IncomingRequest) -> Result<Answer> {
    let body = request.consume().map_err(|()| Problem(500, "the body was read already".into()))?;
    let input = body.stream().map_err(|()| Problem(500, "the body was read already".into()))?;
    let mut blob = blobs::Writer::new("images", name)?;
    loop {
        match input.blocking_read(PIECE_BYTES) {
            Ok(piece) => blob.write(&piece)?,
            Err(StreamError::Closed) => break,
            Err(_) => return Err(Problem(400, "the upload broke off".into())),
        }
    }
    blob.finish()?;
    // Those of the image that was there before.
    blobs::remove_container(&thumbnails_of(name))?;
    Ok(Answer::Text(201, format!("/images/{name}\n")))
}

fn download(name: &str) -> Result<Answer> {
    let (input, size) = blobs::stream("images", name)?;
    let kind = match name.rsplit_once('.') {
        Some((_, "png")) => "image/png",
        Some((_, "jpg" | "jpeg")) => "image/jpeg",
        _ => "application/octet-stream",
    };
    Ok(Answer::Blob(input, size, kind))
}

fn thumbnail(name: &str, width: u32) -> Result<Answer> {
    let (container, kept) = (thumbnails_of(name), format!("{width}.png"));
    if blobs::exists(&container, &kept)? {
        let (input, size) = blobs::stream(&container, &kept)?;
        return Ok(Answer::Blob(input, size, "image/png"));
    }
    let image = blobs::read("images", name)?;
    // Before the work: a new image removes the container, and what was made of the old one is then not kept.
    let blob = blobs::create_container(&container).and_then(|()| blobs::Writer::new(&container, &kept));
    let png = scale::thumbnail(&image, width)?;
    // A thumbnail that cannot be kept is still an answer.
    let _ = blob.and_then(|mut blob| blob.write(&png).and_then(|()| blob.finish()));
    Ok(Answer::Png(png))
}

/// Each image has a container of its own for its thumbnails, so that they go at once.
fn thumbnails_of(name: &str) -> String {
    format!("thumbnails/{name}")
}

fn send(out: ResponseOutparam, status: u16, kind: &str, bytes: &[u8]) {
    let Some(body) = begin(out, status, kind, bytes.len() as u64) else { return };
    // A failed write means that the client went away: nothing is left to be told.
    if let Ok(mut stream) = body.write() {
        let _ = stream.write_all(bytes);
    }
    let _ = OutgoingBody::finish(body, None);
}

/// Streams a blob to the client; the bytes never enter this component's memory.
fn pass_on(out: ResponseOutparam, input: &InputStream, size: u64, kind: &str) {
    let Some(body) = begin(out, 200, kind, size) else { return };
    let mut left = size;
    if let Ok(output) = body.write() {
        while left > 0 {
            match output.blocking_splice(input, left) {
                Ok(count) => left -= count.min(left),
                Err(_) => break,
            }
        }
    }
    // A body that is not finished breaks off at the client, too.
    if left == 0 {
        let _ = OutgoingBody::finish(body, None);
    }
}

fn begin(out: ResponseOutparam, status: u16, kind: &str, size: u64) -> Option<OutgoingBody> {
    let headers = Fields::new();
    let _ = headers.append("content-type", kind.as_bytes());
    let _ = headers.append("content-length", size.to_string().as_bytes());
    let response = OutgoingResponse::new(headers);
    let _ = response.set_status_code(status);
    let body = response.body().ok()?;
    ResponseOutparam::set(out, Ok(response));
    Some(body)
}
