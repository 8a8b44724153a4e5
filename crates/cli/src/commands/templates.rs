//! Which template is meant, and what becomes of it: what `wharf new` and `wharf add` have in common.
//!
//! In: flags, or an answer typed into a terminal. Out: the files of a scaffold. Next: `scaffold`, which writes them.

use crate::command_error::{CommandError, chain};
use crate::output::{self, talk};
use clap::Args;
use std::fmt::Write;
use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;
use wharf_scaffold::{Error, Origin, Rendered, Template, Values, Wanted, catalog};

/// Which template
#[derive(Debug, Args)]
pub(crate) struct TemplateArgs {
    /// A template: a name of `--list`, a folder with a template.toml, or `git+https://HOST/REPOSITORY[@TAG][#FOLDER]`
    #[arg(long, short, value_name = "TEMPLATE", conflicts_with_all = ["lang", "kind", "wasi"])]
    template: Option<String>,
    /// The language: rust, js, ts, python, go or c
    #[arg(long, short, value_name = "LANGUAGE")]
    lang: Option<String>,
    /// What starts it: http, command or library [default: http]
    #[arg(long, short, value_name = "KIND")]
    kind: Option<String>,
    /// The generation of WASI: 0.2 or 0.3 [default: what suits the language]
    #[arg(long, value_name = "VERSION")]
    wasi: Option<String>,
    /// Give a variable of the template a value
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parse_set)]
    set: Vec<(String, String)>,
    /// Write over files that are there already
    #[arg(long)]
    pub(crate) force: bool,
}

fn parse_set(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A template that was filled in.
pub(crate) struct Filled {
    pub(crate) template: Template,
    pub(crate) files: Vec<Rendered>,
    /// What to run next.
    pub(crate) next: Vec<String>,
}

impl TemplateArgs {
    /// Finds the template that is meant and fills it in.
    pub(crate) fn fill(&self, name: &str) -> Result<Filled, CommandError> {
        // A wrong name is told before anything is asked or fetched.
        let values = Values::new(name).map_err(refused)?;
        let template = self.origin()?.load().map_err(refused)?;
        let values = values.with(&template.description, &self.set).map_err(refused)?;
        let files = template.render(&values).map_err(refused)?;
        let next = template.next(&values).map_err(refused)?;
        Ok(Filled { template, files, next })
    }

    fn origin(&self) -> Result<Origin, CommandError> {
        if let Some(template) = &self.template {
            return Origin::parse(template).map_err(refused);
        }
        let wanted = Wanted { language: self.lang.clone(), kind: self.kind.clone(), wasi: self.wasi.clone() };
        let name = if wanted.is_empty() { ask()? } else { wanted.choose().map_err(refused)?.to_owned() };
        Ok(Origin::BuiltIn(name))
    }
}

/// Asks which template it is to be. Where nobody sits, that is an error.
fn ask() -> Result<String, CommandError> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() || !std::io::stderr().is_terminal() {
        let error = CommandError::usage(format!("which template? There are\n{}", table()));
        return Err(error.hint("choose one: `--template rust-http`, or by what it is: `--lang python --kind http`"));
    }
    let names: Vec<&str> = catalog().map(|(name, _)| name).collect();
    let lines = table();
    let numbered: String = lines.lines().zip(1..).map(|(line, number)| format!("{number:>3} {line}\n")).collect();
    talk(&format!("{numbered}which one? (a number or a name, 1 when nothing is said) "));
    let mut answer = String::new();
    let read = stdin.lock().read_line(&mut answer);
    read.map_err(|error| CommandError::failed(format!("cannot read the answer: {error}")))?;
    let answer = answer.trim();
    let by_number = answer.parse::<usize>().ok().and_then(|number| names.get(number.checked_sub(1)?));
    Ok(match by_number {
        Some(name) => (*name).to_owned(),
        None if answer.is_empty() => names.first().copied().unwrap_or_default().to_owned(),
        None => answer.to_owned(),
    })
}

/// Prints the templates of the program.
pub(crate) fn list(json: bool) -> Result<ExitCode, CommandError> {
    if !json {
        return output::data(&table());
    }
    let entry = |(name, template): (&str, &wharf_scaffold::Description)| {
        serde_json::json!({
            "name": name,
            "description": template.description,
            "language": template.language,
            "kind": template.kind,
            "wasi": template.wasi,
            "variables": template.variables.keys().collect::<Vec<_>>(),
        })
    };
    output::data(&format!("{:#}\n", serde_json::Value::from_iter(catalog().map(entry))))
}

fn table() -> String {
    let width = catalog().map(|(name, _)| name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (name, template) in catalog() {
        let _ = writeln!(text, "  {name:<width$}  WASI {}  {}", template.wasi, template.description);
    }
    text
}

/// Returns what a scaffold's error is to a user.
pub(crate) fn refused(error: Error) -> CommandError {
    let text = chain(&error);
    let hint = match error {
        Error::Unknown { nearest: Some(nearest), .. } => format!("`{nearest}` is there; `wharf new --list` shows all"),
        Error::Unknown { .. } => format!(
            "a folder is written as a path: `./my-template`, a repository as `git+https://…`; there are\n{}",
            table()
        ),
        Error::NoneFits { near, .. } if near.is_empty() => format!("there are\n{}", table()),
        Error::NoneFits { near, .. } => format!("there are {}", near.join(", ")),
        Error::Name { better, .. } => format!("`{better}` would do"),
        Error::NoValue { name, .. } => format!("give it: `--set {name}=…`"),
        Error::UnknownValue { known, .. } if known.is_empty() => "it has none".to_owned(),
        Error::UnknownValue { known, .. } => format!("it has {}", known.join(", ")),
        Error::Exists { .. } => "`--force` writes over them".to_owned(),
        Error::Wit { .. } => "`wharf wit check` shows the place".to_owned(),
        Error::Git { .. } => {
            "is there such a repository, and may you read it? `git clone` of the same URL says more".to_owned()
        }
        Error::Io { .. } | Error::Manifest { .. } | Error::Url { .. } => return CommandError::usage(text),
        _ => return CommandError::usage(text).hint("the template has to be mended; nothing was written"),
    };
    CommandError::usage(text).hint(hint.trim_end())
}
