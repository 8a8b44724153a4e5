//! Every key of a test file, as data: what is said of it, and of which kind it is. A test holds it against what reads test files.

use super::{Key, Kind};

const fn key(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, required: false, doc }
}

const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, required: true, doc }
}

/// The tables by their names here, each with its keys. The first one is the file.
pub(super) const TABLES: &[(&str, &[Key])] = &[
    (
        "file",
        &[
            key("settings", Kind::Table("settings"), "What all tests of the file have."),
            key("given", Kind::Table("given"), "What is there when each test of the file begins."),
            key("fault", Kind::Tables("fault"), "Calls that fail, or are slow, in each test of the file."),
            key("test", Kind::Tables("test"), "The tests."),
        ],
    ),
    (
        "settings",
        &[
            key("variables", Kind::TextByName, "Values of the manifest's variables, by name."),
            key("secrets", Kind::TextByName, "Values of secrets, by name."),
            key(
                "clock",
                Kind::Any,
                "The time when the test begins, as in `\"2026-01-31T12:00:00Z\"`. Absent: 2026-01-01T00:00:00Z.",
            ),
            key("seed", Kind::Integer, "What random numbers are made of. Absent: 0; `--seed` comes before it."),
            key("timeout", Kind::Text, "Real time that one test may take, as in `\"10s\"`. Absent: 60s."),
        ],
    ),
    (
        "given",
        &[
            key("keyvalue", Kind::Tables("key"), "Keys in key-value stores."),
            key("blob", Kind::Tables("blob"), "Objects in blob stores."),
            key("sql", Kind::Tables("sql"), "Statements that are run in databases."),
            key("http", Kind::Tables("http"), "Answers of servers."),
        ],
    ),
    (
        "key",
        &[
            key("label", Kind::Text, "The label of the store. Absent: `default`."),
            required("key", Kind::Text, "The key."),
            key("value", Kind::Text, "Its value, as text."),
            key("value-json", Kind::Any, "Its value, as JSON."),
            key("file", Kind::Text, "The file that has its value, relative to the test file."),
        ],
    ),
    (
        "blob",
        &[
            key("label", Kind::Text, "The label of the store. Absent: `default`."),
            key("container", Kind::Text, "The container that it is in."),
            required("name", Kind::Text, "Its name."),
            key("body", Kind::Text, "What is in it, as text."),
            key("file", Kind::Text, "The file that has what is in it, relative to the test file."),
        ],
    ),
    (
        "sql",
        &[
            key("label", Kind::Text, "The label of the database. Absent: `default`."),
            required("statements", Kind::Texts, "The statements, in their order."),
        ],
    ),
    (
        "http",
        &[
            required("request", Kind::Table("http-request"), "Which requests it is for."),
            required("response", Kind::Table("http-response"), "What is answered."),
        ],
    ),
    (
        "http-request",
        &[
            key("method", Kind::Text, "Their method. Absent: any."),
            required("url", Kind::Text, "Their URL; `*` stands for any text."),
            key("body-contains", Kind::Texts, "What is in their bodies: a text, or several."),
        ],
    ),
    (
        "http-response",
        &[
            key("status", Kind::Status, "The status. Absent: 200."),
            key("headers", Kind::TextsByName, "The headers, a text or several for each."),
            key("body", Kind::Text, "The body, as text."),
            key("body-json", Kind::Any, "The body, as JSON."),
            key("file", Kind::Text, "The file that has the body, relative to the test file."),
        ],
    ),
    (
        "fault",
        &[
            required(
                "call",
                Kind::Text,
                "Which calls: `CAPABILITY.OPERATION` as in `\"keyvalue.get\"`, `CAPABILITY.*`, or `http.send`.",
            ),
            key("label", Kind::Text, "The label that is called. Absent: any."),
            key("url", Kind::Text, "The URL of a request to a server; `*` stands for any text. Absent: any."),
            key("nth", Kind::Integer, "Which of the calls that fit, counted from one. Absent: all."),
            key(
                "error",
                Kind::Text,
                "How it fails: `\"unavailable\"`, `\"timeout\"`, `\"failed\"` or `\"busy\"`. Absent: it succeeds, after `delay`.",
            ),
            key("delay", Kind::Text, "The test's time that it takes before, as in `\"2s\"`."),
        ],
    ),
    (
        "test",
        &[
            required("name", Kind::Text, "What it says about the app."),
            key(
                "settings",
                Kind::Table("settings"),
                "What it has beside, or in the place of, the settings of the file.",
            ),
            key("given", Kind::Table("given"), "What is there when it begins, beside what is given in the file."),
            key("fault", Kind::Tables("fault"), "Calls that fail, or are slow, beside those of the file."),
            key("component", Kind::Text, "The component that `call` or `run` is for. Absent: the only one."),
            key("request", Kind::Table("request"), "A request that is sent to the app."),
            key("call", Kind::Text, "An export that is called, as in `\"add(1, 2)\"`."),
            key("run", Kind::ListOfTexts, "The arguments of a command that is run."),
            key("advance", Kind::Text, "Time that goes by, as in `\"1h\"`."),
            key("steps", Kind::Tables("step"), "Several things that happen one after the other, in one app."),
            key("expect", Kind::Table("expect"), "What is expected afterwards."),
        ],
    ),
    (
        "step",
        &[
            key("name", Kind::Text, "What it is called in reports."),
            key("component", Kind::Text, "The component that `call` or `run` is for. Absent: the only one."),
            key("request", Kind::Table("request"), "A request that is sent to the app."),
            key("call", Kind::Text, "An export that is called, as in `\"add(1, 2)\"`."),
            key("run", Kind::ListOfTexts, "The arguments of a command that is run."),
            key("advance", Kind::Text, "Time that goes by, as in `\"1h\"`."),
            key("expect", Kind::Table("expect"), "What is expected afterwards."),
        ],
    ),
    (
        "request",
        &[
            key("method", Kind::Text, "The method. Absent: GET."),
            key("path", Kind::Text, "The path, with its query. Absent: `/`."),
            key("host", Kind::Text, "The host. Absent: `localhost`."),
            key("headers", Kind::TextsByName, "The headers, a text or several for each."),
            key("body", Kind::Text, "The body, as text."),
            key("body-json", Kind::Any, "The body, as JSON."),
            key("body-file", Kind::Text, "The file that has the body, relative to the test file."),
        ],
    ),
    (
        "expect",
        &[
            key("status", Kind::Status, "The status."),
            key("headers", Kind::PresenceByName, "Headers: the value, `true` for any, `false` for none."),
            key("body", Kind::Text, "The whole body, as text."),
            key("body-file", Kind::Text, "The file that has the whole body, relative to the test file."),
            key("body-contains", Kind::Texts, "What is in the body: a text, or several."),
            key("body-matches", Kind::Text, "A regular expression that fits any part of the body."),
            key(
                "body-json",
                Kind::Any,
                "The whole body, as JSON. A text that is an object or a list of JSON stands for that.",
            ),
            key("json-path", Kind::AnyByName, "Parts of a body of JSON, as in `\"items[0].name\" = \"a\"`."),
            key("stdout", Kind::Text, "All that a command printed."),
            key("stdout-contains", Kind::Texts, "What is in that: a text, or several."),
            key("exit", Kind::Code, "The exit code of a command. Absent: 0."),
            key("result", Kind::Text, "What a call returned, written in WAVE."),
            key(
                "log-contains",
                Kind::Texts,
                "What is in the lines that components printed and in warnings: a text, or several.",
            ),
            key("trap", Kind::Text, "A text in the reason why a component failed, such as `\"WHARF-0031\"`."),
            key(
                "keyvalue",
                Kind::PresenceByLabel,
                "Keys of stores afterwards, by label: the value, `true` for any, `false` for none.",
            ),
            key(
                "blob",
                Kind::PresenceByLabel,
                "Objects of stores afterwards, by label: the text in it, `true` for any, `false` for none.",
            ),
            key("sql", Kind::Tables("query"), "What queries return afterwards."),
            key("http-requests", Kind::Tables("sent"), "All requests that were sent to servers, in their order."),
            key("messages", Kind::Tables("message"), "All messages that were sent, in their order."),
        ],
    ),
    (
        "query",
        &[
            key("label", Kind::Text, "The label of the database. Absent: `default`."),
            required("query", Kind::Text, "The query."),
            required("rows", Kind::Rows, "The rows that it returns, each a list of values."),
        ],
    ),
    (
        "sent",
        &[
            key("method", Kind::Text, "Its method. Absent: any."),
            required("url", Kind::Text, "Its URL."),
            key("headers", Kind::PresenceByName, "Headers of it: the value, `true` for any, `false` for none."),
            key("body", Kind::Text, "Its whole body, as text."),
            key("body-contains", Kind::Texts, "What is in its body: a text, or several."),
            key("body-json", Kind::Any, "Its whole body, as JSON."),
        ],
    ),
    (
        "message",
        &[
            key("label", Kind::Text, "The label that it was sent to. Absent: any."),
            required("topic", Kind::Text, "Its topic."),
            key("body", Kind::Text, "The whole of it, as text."),
            key("body-contains", Kind::Texts, "What is in it: a text, or several."),
            key("body-json", Kind::Any, "The whole of it, as JSON."),
        ],
    ),
];
