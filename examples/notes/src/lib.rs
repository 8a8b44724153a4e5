//! Notes with a history: SQL keeps them, key-value counts who reads them.

mod answer;
mod notes;
mod views;

use answer::Answer;
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{IncomingRequest, Method, ResponseOutparam};

mod bindings {
    wit_bindgen::generate!({
        inline: "
            package example:notes;
            world imports {
                import wharf:sql/database@0.1.0;
                import wasi:keyvalue/store@0.2.0-draft2;
                import wasi:keyvalue/atomics@0.2.0-draft2;
            }
        ",
        path: ["../../wit/keyvalue-0.2.0-draft2", "../../wit/sql"],
        generate_all,
    });
}

wasip2::http::proxy::export!(Notes);

struct Notes;

impl Guest for Notes {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        answer::send(out, handle(&request).unwrap_or_else(|error| error));
    }
}

fn handle(request: &IncomingRequest) -> Result<Answer, Answer> {
    let path = request.path_with_query().unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).skip(1).collect();
    let id = match segments.first() {
        Some(text) => Some(text.parse::<i64>().map_err(|_| Answer::error(404, "there is no such note"))?),
        None => None,
    };
    let store = notes::Store::open()?;
    match (request.method(), id, segments.get(1)) {
        (Method::Get, None, _) => Answer::json(200, &store.list()?),
        (Method::Post, None, _) => Answer::json(201, &store.add(&answer::text(request)?)?),
        (Method::Get, Some(id), None) => {
            let mut note = store.get(id)?;
            // A count that fails is no reason to refuse the note.
            note.views = views::count(id).unwrap_or_default();
            Answer::json(200, &note)
        }
        (Method::Get, Some(id), Some(&"history")) => Answer::json(200, &store.history(id)?),
        (Method::Put, Some(id), None) => Answer::json(200, &store.change(id, &answer::text(request)?)?),
        (Method::Delete, Some(id), None) => {
            store.remove(id)?;
            views::forget(id);
            Ok(Answer::empty(204))
        }
        _ => Err(Answer::error(405, "not that way")),
    }
}
