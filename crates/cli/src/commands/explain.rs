//! `wharf explain`: what an error code means and what to do.

use crate::command_error::CommandError;
use crate::output;
use clap::Args;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A code, such as `WHARF-0030` or `30`; none lists them all
    code: Option<String>,
}

/// The pages of `docs/errors`, by code.
macro_rules! pages {
    ($($code:literal),* $(,)?) => {
        &[$(($code, include_str!(concat!("../../../../docs/errors/", $code, ".md")))),*]
    };
}

/// Every page, in order. The codes of the manifest, 0100 to 0199, are in `wharf_app::CODES`.
const PAGES: &[(&str, &str)] = pages![
    "WHARF-0001",
    "WHARF-0002",
    "WHARF-0003",
    "WHARF-0004",
    "WHARF-0005",
    "WHARF-0006",
    "WHARF-0007",
    "WHARF-0008",
    "WHARF-0009",
    "WHARF-0010",
    "WHARF-0011",
    "WHARF-0012",
    "WHARF-0013",
    "WHARF-0014",
    "WHARF-0015",
    "WHARF-0016",
    "WHARF-0017",
    "WHARF-0020",
    "WHARF-0021",
    "WHARF-0022",
    "WHARF-0023",
    "WHARF-0024",
    "WHARF-0025",
    "WHARF-0030",
    "WHARF-0031",
    "WHARF-0032",
    "WHARF-0033",
    "WHARF-0034",
    "WHARF-0035",
    "WHARF-0036",
    "WHARF-0037",
    "WHARF-0038",
    "WHARF-0039",
    "WHARF-0040",
    "WHARF-0041",
    "WHARF-0050",
    "WHARF-0051",
    "WHARF-0052",
    "WHARF-0053",
    "WHARF-0054",
    "WHARF-0060",
    "WHARF-0061",
    "WHARF-0062",
    "WHARF-0063",
    "WHARF-0064",
    "WHARF-0065",
    "WHARF-0066",
    "WHARF-0067",
    "WHARF-0068",
    "WHARF-0090",
    "WHARF-0091",
    "WHARF-0200",
    "WHARF-0201",
    "WHARF-0202",
    "WHARF-0203",
    "WHARF-0204",
    "WHARF-0205",
    "WHARF-0210",
    "WHARF-0211",
    "WHARF-0212",
    "WHARF-0213",
    "WHARF-0214",
    "WHARF-0215",
    "WHARF-0216",
];

pub(crate) fn run(args: &ExplainArgs) -> Result<ExitCode, CommandError> {
    match &args.code {
        Some(code) => output::data(&page(code)?),
        None => output::data(&list()),
    }
}

fn page(code: &str) -> Result<String, CommandError> {
    let number = code.trim().rsplit('-').next().unwrap_or_default();
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        let error = CommandError::usage(format!("{code:?} is no error code"));
        return Err(error.hint("codes look like WHARF-0030; `wharf explain` lists them all"));
    }
    let code = format!("WHARF-{number:0>4}");
    if let Some((_, page)) = PAGES.iter().find(|(known, _)| *known == code) {
        return Ok((*page).to_owned());
    }
    if let Some(known) = wharf_app::find_code(&code) {
        return Ok(format!("# {}: {}\n\n{}\n", known.code, known.title, known.text));
    }
    let error = CommandError::usage(format!("there is no error code {code}"));
    Err(error.hint("`wharf explain` lists them all"))
}

fn list() -> String {
    let pages =
        PAGES.iter().map(|(_, page)| page.lines().next().unwrap_or_default().trim_start_matches("# ").to_owned());
    let manifest = wharf_app::CODES.iter().map(|known| format!("{}: {}", known.code, known.title));
    pages.chain(manifest).map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_page_by_any_spelling_of_its_number() {
        for code in ["WHARF-0030", "wharf-0030", "0030", "30"] {
            assert!(page(code).unwrap().starts_with("# WHARF-0030: "), "{code}");
        }
        assert!(page("WHARF-0100").unwrap().starts_with("# WHARF-0100: "));
        assert!(page("WHARF-9999").is_err());
    }

    #[test]
    fn every_page_starts_with_its_code() {
        for (code, page) in PAGES {
            assert!(page.starts_with(&format!("# {code}: ")), "{code}");
        }
    }
}
