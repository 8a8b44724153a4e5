//! What a registry answers.

use std::net::SocketAddr;

use super::{Answer, Door, Shared};

/// The token that opens everything.
const TOKEN: &str = "let-me-in";

/// Answers a request; `head` has its lines.
pub(super) fn answer(shared: &mut Shared, address: SocketAddr, head: &[String]) -> Answer {
    let mut words = head[0].split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    shared.requests.push(format!("{method} {target}"));
    if shared.busy > 0 {
        shared.busy -= 1;
        return Answer::status(503);
    }
    let path = target.split('?').next().unwrap_or_default();
    let authorization = header(head, "authorization");
    if path == "/token" {
        return token(&shared.door, authorization);
    }
    if path.starts_with("/v2/") && !is_open(&shared.door, authorization) {
        let challenge = match shared.door {
            Door::Basic(..) => "Basic realm=\"registry\"".to_owned(),
            _ => format!("Bearer realm=\"http://{address}/token\",service=\"registry\""),
        };
        return Answer { headers: vec![format!("www-authenticate: {challenge}")], ..Answer::status(401) };
    }
    if let Some(answer) = shared.answers.get(path) {
        return answer.clone();
    }
    let repository = path.strip_prefix("/v2/").and_then(|path| path.strip_suffix("/tags/list"));
    match repository.and_then(|repository| shared.tags.get(repository)) {
        Some(tags) => Answer::ok(serde_json::json!({ "name": repository, "tags": tags }).to_string().as_bytes()),
        None => Answer::status(404),
    }
}

fn header<'h>(head: &'h [String], name: &str) -> &'h str {
    let value = head.iter().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    });
    value.unwrap_or_default()
}

fn is_open(door: &Door, authorization: &str) -> bool {
    match door {
        Door::Open => true,
        Door::Token | Door::Login(..) => authorization == format!("Bearer {TOKEN}"),
        Door::Basic(user, password) => authorization == basic(user, password),
        Door::Closed => false,
    }
}

fn token(door: &Door, authorization: &str) -> Answer {
    let is_given = match door {
        Door::Login(user, password) => authorization == basic(user, password),
        Door::Closed => false,
        _ => true,
    };
    match is_given {
        true => Answer::ok(serde_json::json!({ "token": TOKEN }).to_string().as_bytes()),
        false => Answer::status(401),
    }
}

/// Writes name and password as HTTP has them.
fn basic(user: &str, password: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::from("Basic ");
    for three in format!("{user}:{password}").as_bytes().chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place > three.len() { '=' } else { char::from(letter) });
        }
    }
    out
}
