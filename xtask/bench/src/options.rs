//! What was asked for on the command line.

use std::path::PathBuf;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) seconds: u64,
    pub(crate) rounds: usize,
    pub(crate) runs: usize,
    pub(crate) apps: Vec<usize>,
    pub(crate) only: Vec<String>,
    pub(crate) wharf: Option<PathBuf>,
    pub(crate) save: bool,
}

impl Options {
    /// Reads the options; none when one is unknown or lacks its value.
    pub(crate) fn parse(args: &[String]) -> Option<Options> {
        let mut options =
            Options { seconds: 4, rounds: 3, runs: 20, apps: Vec::new(), only: Vec::new(), wharf: None, save: false };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--seconds" => options.seconds = at_least_one(args.next()?)?,
                "--rounds" => options.rounds = at_least_one(args.next()?)?.try_into().ok()?,
                "--runs" => options.runs = at_least_one(args.next()?)?.try_into().ok()?,
                "--apps" => options.apps.push(args.next()?.parse().ok()?),
                "--only" => options.only.push(args.next()?.clone()),
                "--wharf" => options.wharf = Some(PathBuf::from(args.next()?)),
                "--save" => options.save = true,
                _ => return None,
            }
        }
        if options.apps.is_empty() {
            options.apps = vec![0, 100, 1000, 10_000];
        }
        Some(options)
    }

    /// Tells whether a row is wanted.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| name.contains(part.as_str()))
    }
}

fn at_least_one(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| *number > 0)
}
