//! A command that tests an app that says hello. Its name, which is that of its file, says how it ends.

use std::io::Read as _;
use std::process::ExitCode;
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{Fields, IncomingResponse, OutgoingRequest, Scheme};

fn main() -> ExitCode {
    let name = std::env::args().next().unwrap_or_default();
    match name.as_str() {
        "hangs" => loop {
            std::hint::spin_loop();
        },
        "sleeps" => std::thread::sleep(std::time::Duration::from_secs(3600)),
        "panics" => panic!("asked to"),
        _ => {}
    }
    // By name, and by a route of the app: whatever the host is.
    let answers = [ask(Scheme::Http, "demo.wharf.internal"), ask(Scheme::Https, "www.example.com")];
    for answer in &answers {
        println!("{name} got {answer:?}");
    }
    let expected = Ok((200, "hello\n".to_owned()));
    if name != "fails" && answers.iter().all(|answer| *answer == expected) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn ask(scheme: Scheme, host: &str) -> Result<(u16, String), String> {
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&scheme)).map_err(|()| "no such scheme")?;
    request.set_authority(Some(host)).map_err(|()| "no such host")?;
    request.set_path_with_query(Some("/")).map_err(|()| "no such path")?;
    let pending = handle(request, None).map_err(|error| format!("{error:?}"))?;
    pending.subscribe().block();
    let response = pending.get().ok_or("no answer")?.map_err(|()| "taken")?.map_err(|error| format!("{error:?}"))?;
    Ok((response.status(), text(&response)?))
}

fn text(response: &IncomingResponse) -> Result<String, String> {
    let body = response.consume().map_err(|()| "no body")?;
    let mut stream = body.stream().map_err(|()| "no stream")?;
    let mut text = String::new();
    stream.read_to_string(&mut text).map_err(|error| error.to_string())?;
    Ok(text)
}
