//! Whether it can be served, run or called here, in one sentence each.
//!
//! In: [`Facts`] and [`Missing`]. Out: [`Verdict`]. Next: `cli` prints it, `node` refuses what cannot be served.

use serde::{Serialize, Serializer};

use crate::{Entry, Facts, Kind, Missing};

/// What can be done with a file here. `Ok` says how, `Err` why not and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// `wharf up`: answer HTTP requests.
    #[serde(serialize_with = "answer")]
    pub serve: Result<String, String>,
    /// `wharf run`: run to its end.
    #[serde(serialize_with = "answer")]
    pub run: Result<String, String>,
    /// `wharf call`: call an exported function.
    #[serde(serialize_with = "answer")]
    pub call: Result<String, String>,
}

/// Writes `{ "possible": true, "sentence": "…" }`.
fn answer<S: Serializer>(answer: &Result<String, String>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Answer<'a> {
        possible: bool,
        sentence: &'a str,
    }
    let (Ok(sentence) | Err(sentence)) = answer;
    Answer { possible: answer.is_ok(), sentence }.serialize(serializer)
}

impl Facts {
    /// Decides what can be done, given what [`check`](crate::check) found missing.
    pub fn verdict(&self, missing: &[Missing]) -> Verdict {
        match self.kind {
            Kind::Component => Verdict { serve: self.serve(missing), run: self.run(missing), call: self.call(missing) },
            Kind::Module => self.module_verdict(missing),
            Kind::WitPackage => {
                let no =
                    || Err("this is a WIT package in binary form: it describes interfaces and has no code".to_owned());
                Verdict { serve: no(), run: no(), call: no() }
            }
        }
    }

    fn serve(&self, missing: &[Missing]) -> Result<String, String> {
        let export = self.entries.iter().find_map(|entry| match entry {
            Entry::HttpHandler03 { export } | Entry::HttpIncomingHandler02 { export } => Some(export),
            _ => None,
        });
        let Some(export) = export else { return Err(self.why_not_http()) };
        linked(missing)?;
        Ok(format!("serves HTTP requests through {export}"))
    }

    /// The component has no HTTP handler of a version that is served.
    fn why_not_http(&self) -> String {
        let other = self.exports.iter().find(|export| export.capability == crate::Capability::ServeHttp);
        match other {
            Some(other) => format!(
                "exports {}, a version that this host does not serve: rebuild with wasi:http 0.2 or 0.3.0",
                other.name
            ),
            None if self.entries.iter().any(Entry::is_command) => {
                "is a command: it exports no HTTP handler; run it with `wharf run`".to_owned()
            }
            None if self.entries.iter().any(|entry| matches!(entry, Entry::Library { .. })) => {
                "is a library: it exports functions and no HTTP handler; call them with `wharf call`".to_owned()
            }
            None => "exports neither wasi:http/handler nor wasi:http/incoming-handler".to_owned(),
        }
    }

    fn run(&self, missing: &[Missing]) -> Result<String, String> {
        let export = self.entries.iter().find_map(|entry| match entry {
            Entry::CliRun03 { export } | Entry::CliRun02 { export } => Some(export),
            _ => None,
        });
        let Some(export) = export else {
            return Err(match self.entries.iter().any(Entry::is_http) {
                true => "exports no wasi:cli/run; serve it with `wharf up`".to_owned(),
                false => "exports no wasi:cli/run".to_owned(),
            });
        };
        linked(missing)?;
        Ok(format!("runs as a command through {export}"))
    }

    fn call(&self, missing: &[Missing]) -> Result<String, String> {
        let count = self.entries.iter().filter(|entry| matches!(entry, Entry::Library { .. })).count();
        if count == 0 {
            return Err("exports no functions of its own".to_owned());
        }
        linked(missing)?;
        Ok(format!("has {count} {} to call", if count == 1 { "function" } else { "functions" }))
    }

    fn module_verdict(&self, missing: &[Missing]) -> Verdict {
        let sentence = self.module_sentence();
        let run = match self.entries.contains(&Entry::Preview1Command) {
            true => linked(missing).map(|()| "runs as a WASI preview 1 command through _start".to_owned()),
            // The import says more than the sentence: it gives away what the module was built for.
            false if !self.has_embedded_world => linked(missing).and(Err(sentence.clone())),
            false => Err(sentence.clone()),
        };
        Verdict { serve: Err(sentence.clone()), run, call: Err(sentence) }
    }

    fn module_sentence(&self) -> String {
        let what_to_do = if self.has_embedded_world {
            "it has a world inside, so only the last step is missing: `wasm-tools component new FILE -o OUT.wasm` (with `--adapt` if it imports wasi_snapshot_preview1)"
        } else if self.languages.iter().any(|language| language == "Rust") {
            "build with `cargo build --target wasm32-wasip2`"
        } else {
            "build for a component target (in Rust `cargo build --target wasm32-wasip2`), or embed a world and run `wasm-tools component new FILE -o OUT.wasm`"
        };
        format!("this is a core module, not a component: {what_to_do}")
    }
}

/// `Err` with the first missing import and the number of others.
fn linked(missing: &[Missing]) -> Result<(), String> {
    let Some(first) = missing.first() else { return Ok(()) };
    let others = match missing.len() - 1 {
        0 => String::new(),
        1 => " (and 1 other import is missing)".to_owned(),
        others => format!(" (and {others} other imports are missing)"),
    };
    Err(format!("the import {} is missing: {}{others}", first.import, first.help))
}
