//! The flags that give values to the variables of a manifest.

use clap::Args;
use std::path::PathBuf;
use wharf_app::Hidden;
use wharf_project::Values;

/// Where values for the variables of a manifest come from.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Values for the variables of a manifest")]
pub(crate) struct VariableArgs {
    /// Give a variable a value; comes before the environment (WHARF_VARIABLE_NAME), .env and --variables
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = parse_variable)]
    variable: Vec<(String, Hidden)>,
    /// Take values from a TOML file with a line `name = "value"` for each variable
    #[arg(long, value_name = "FILE")]
    variables: Option<PathBuf>,
    /// Take values from this file, with lines WHARF_VARIABLE_NAME=VALUE [default: .env beside the manifest, if there is one]
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
}

impl VariableArgs {
    pub(crate) fn values(&self) -> Values {
        Values { given: self.variable.clone(), file: self.variables.clone(), env_file: self.env_file.clone() }
    }
}

fn parse_variable(text: &str) -> Result<(String, Hidden), &'static str> {
    // The message of clap shows what was written, so this is the only mistake that is found here.
    let (name, value) = text.split_once('=').ok_or("a value is given as `NAME=VALUE`")?;
    Ok((name.to_owned(), Hidden::new(value.to_owned())))
}
