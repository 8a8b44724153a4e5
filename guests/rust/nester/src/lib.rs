//! A WASI 0.3 HTTP handler that gives `test:depot` streams, futures and resources in streams and futures, and takes some: `/unpack`,
//! `/pack?count=N&end=E`, `/left?count=N`, `/rows`, `/send?name=T`, `/promise?end=E`, `/many?count=N`, `/hold`, `/tickets?count=N`, `/few?count=N`, `/redeem?count=N`, `/renew?most=N`, `/stale`.

use query::Query;
use wasip3::exports::http::handler::Guest;
use wasip3::http::types::{ErrorCode, Fields, Request, Response};

wit_bindgen::generate!({
    path: "../depot/wit",
    inline: "
        package test:nester;
        world nester {
            import test:depot/nest@1.0.0;
        }
    ",
    world: "test:nester/nester",
    generate_all,
});

use test::depot::depot::Part;
use test::depot::nest::{self, CrateOfParts, Parcel};

wasip3::http::service::export!(Nester);

struct Nester;

impl Guest for Nester {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let query = Query::parse(&request.get_path_with_query().unwrap_or_default());
        let text = |key: &str| query.text(key).unwrap_or_default().to_owned();
        let count = u32::try_from(query.number("count", 3)).unwrap_or(u32::MAX);
        let text = match query.path() {
            "/unpack" => unpack(count).await,
            "/pack" => pack(count, text("end")).await,
            "/left" => left(count).await,
            "/rows" => rows().await,
            "/send" => send(text("name")).await,
            "/promise" => promise(text("end")).await,
            "/many" => many(count).await,
            "/hold" => hold().await,
            "/stale" => stale().await,
            "/tickets" => tickets(count).await,
            "/few" => few(count).await,
            "/redeem" => redeem(count).await,
            "/renew" => renew(u32::try_from(query.number("most", 100)).unwrap_or(u32::MAX)).await,
            path => format!("no case {path}"),
        };
        let (mut writer, contents) = wasip3::wit_stream::new();
        wit_bindgen::spawn(async move {
            writer.write_all(text.into_bytes()).await;
        });
        let (_, trailers) = wasip3::wit_future::new(|| Ok(None));
        Ok(Response::new(Fields::new(), Some(contents), trailers).0)
    }
}

fn part(name: &str) -> Part {
    Part { name: name.to_owned(), sizes: Vec::new(), note: None }
}

async fn unpack(count: u32) -> String {
    let (mut crates, reader) = wit_stream::new();
    wit_bindgen::spawn(async move {
        for number in 1..=count {
            let (mut writer, parts) = wit_stream::new();
            let name = format!("crate {number}");
            crates.write_one(CrateOfParts { name: name.clone(), parts }).await;
            writer.write_all((0..number).map(|_| part(&name)).collect()).await;
        }
    });
    format!("{} parts", nest::unpack(reader).await)
}

async fn pack(count: u32, end: String) -> String {
    let mut crates = nest::pack(count, end).await;
    let mut found = Vec::new();
    while let Some(CrateOfParts { name, parts }) = crates.next().await {
        let parts: Vec<String> = parts.collect().await.into_iter().map(|part| part.name).collect();
        found.push(format!("{name}: {}", parts.join(" ")));
    }
    found.join("; ")
}

/// Reads one crate of many, without its parts, and lets all others go.
async fn left(count: u32) -> String {
    let mut crates = nest::pack(count, String::new()).await;
    let first = crates.next().await;
    let name = first.as_ref().map(|first| first.name.clone());
    drop(first);
    drop(crates);
    let waiting = until(nest::waiting, 0).await;
    format!("{name:?}, {waiting} waiting")
}

async fn rows() -> String {
    let (mut writer, reader) = wit_stream::new();
    wit_bindgen::spawn(async move {
        for text in ["one", "", "three"] {
            let (mut inner, row) = wit_stream::new();
            wit_bindgen::spawn(async move {
                inner.write_all(text.as_bytes().to_vec()).await;
            });
            writer.write_one(row).await;
        }
    });
    let mut rows = nest::rows(reader).await;
    let mut texts = Vec::new();
    while let Some(row) = rows.next().await {
        texts.push(String::from_utf8_lossy(&row.collect().await).into_owned());
    }
    format!("{texts:?}")
}

async fn send(name: String) -> String {
    let (writer, later) = wit_future::new(|| unreachable!());
    wit_bindgen::spawn(async move {
        let (mut inner, parts) = wit_stream::new();
        let _ = writer.write(parts).await;
        inner.write_all(vec![part("a"), part("b")]).await;
    });
    match nest::send(name, later).await.await {
        Ok(Parcel::Letter(text)) => format!("a letter: {text}"),
        Ok(Parcel::Crate(one)) => format!("{}: {} parts", one.name, one.parts.collect().await.len()),
        Err(error) => error,
    }
}

async fn promise(end: String) -> String {
    match nest::promise(end).await.await {
        Ok(one) => format!("{}: {} parts", one.name, one.parts.collect().await.len()),
        Err(error) => error,
    }
}

async fn many(count: u32) -> String {
    let mut names = Vec::new();
    for stream in nest::many(count).await {
        names.extend(stream.collect().await.into_iter().map(|part| part.name));
    }
    format!("{} parts, the last is {:?}", names.len(), names.last())
}

/// Writes a row that nobody reads, and goes.
async fn hold() -> String {
    let (mut writer, reader) = wit_stream::new();
    let (_, row) = wit_stream::new();
    nest::hold(reader).await;
    writer.write_one(row).await;
    "held".to_owned()
}

/// Gives back a ticket of an instance that has ended.
async fn stale() -> String {
    let ticket = nest::tickets(1).await.next().await;
    let ended = nest::promise("first".to_owned()).await.await.is_err();
    let (mut writer, reader) = wit_stream::new();
    wit_bindgen::spawn(async move {
        writer.write_all(ticket.into_iter().collect()).await;
    });
    format!("{ended}, {}", nest::redeem(reader).await)
}

async fn tickets(count: u32) -> String {
    let tickets = nest::tickets(count).await.collect().await;
    let numbers: Vec<u32> = tickets.iter().map(|ticket| ticket.number()).collect();
    let issued = nest::issued();
    drop(tickets);
    format!("{numbers:?}, {issued} then, {} now", until(nest::issued, 0).await)
}

/// Takes two tickets of many.
async fn few(count: u32) -> String {
    let mut tickets = nest::tickets(count).await;
    let (one, two) = (tickets.next().await, tickets.next().await);
    drop(tickets);
    let issued = until(nest::issued, 2).await;
    let numbers = [one, two].map(|ticket| ticket.map(|ticket| ticket.number()));
    format!("{numbers:?} of {issued}, {} now", until(nest::issued, 0).await)
}

/// Waits until there are no more than so many, and returns how many there are: who writes them has to run before it knows.
async fn until(count: fn() -> u32, most: u32) -> u32 {
    for _ in 0..1000 {
        if count() <= most {
            break;
        }
        wit_bindgen::yield_async().await;
    }
    count()
}

async fn redeem(count: u32) -> String {
    let mut tickets = nest::tickets(count).await;
    let (mut writer, reader) = wit_stream::new();
    wit_bindgen::spawn(async move {
        while let Some(ticket) = tickets.next().await {
            writer.write_one(ticket).await;
        }
    });
    let sum = nest::redeem(reader).await;
    format!("{sum}, {} left", nest::issued())
}

async fn renew(most: u32) -> String {
    let mut tickets = nest::tickets(1).await;
    let Some(ticket) = tickets.next().await else { return "no ticket".to_owned() };
    let (writer, later) = wit_future::new(|| unreachable!());
    wit_bindgen::spawn(async move {
        let _ = writer.write(ticket).await;
    });
    match nest::renew(later, most).await.await {
        Ok(ticket) => format!("{}, {} issued", ticket.number(), nest::issued()),
        Err(error) => format!("{error}, {} issued", nest::issued()),
    }
}
