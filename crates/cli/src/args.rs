//! The command line as data. What stands here is what `--help` and the reference page show.

use crate::commands;
use crate::logging::LogFormat;
use clap::{Args, Parser, Subcommand};
use std::path::{Path, PathBuf};
use wharf_app::{
    Access, ConfigGrant, DirGrant, EnvGrant, Grants, HttpGrant, HttpPattern, LabelGrant, NetPattern, SecretGrant,
};

/// Run WebAssembly components as serverless applications
#[derive(Debug, Parser)]
#[command(name = "wharf", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// How log lines and access lines look
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub(crate) log_format: LogFormat,
    /// Say more about what happens; twice for even more
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Begin an app from a template
    New(commands::new::NewArgs),
    /// Put a further component into an app, from a template
    Add(commands::add::AddArgs),
    /// Serve an app from a manifest, a folder with one, or a bare component
    Up(Box<commands::up::UpArgs>),
    /// Build an app, serve it, and put in place what changes
    Dev(Box<commands::dev::DevArgs>),
    /// Build the components of an app: those that are missing or older than their sources
    Build(commands::build::BuildArgs),
    /// Run a command component, or a core module of WASI preview 1
    Run(commands::run::RunArgs),
    /// Call an exported function with values written as text
    Call(commands::call::CallArgs),
    /// Run the tests of an app, each with stores, servers and clocks of its own
    Test(commands::test::TestArgs),
    /// Show what a component is, what it may ask for, and whether it can be served or run here
    Inspect(commands::inspect::InspectArgs),
    /// Show what changed between two components: what they may ask for, their interfaces, their sizes
    Diff(commands::diff::DiffArgs),
    /// Write a component and all that is fused with it as one component
    Compose(commands::compose::ComposeArgs),
    /// Keep, list and remove the secrets of an app
    Secrets(commands::secrets::SecretsArgs),
    /// Look whether this machine has what an app or a language needs
    Doctor(commands::doctor::DoctorArgs),
    /// Print, check and compare interfaces, and make bindings for them
    Wit(commands::wit::WitArgs),
    /// Explain an error code
    Explain(commands::explain::ExplainArgs),
    /// Print the JSON schema of the manifest
    Schema(commands::schema::SchemaArgs),
    /// Print a completion script for a shell
    Completions(commands::completions::CompletionsArgs),
    /// Compile a component in a process of its own
    #[command(hide = true, name = commands::compile::NAME)]
    Compile(commands::compile::CompileArgs),
    /// Print a reference page as Markdown
    #[command(hide = true)]
    Reference(crate::reference::ReferenceArgs),
}

/// What a component without a manifest may touch
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Grants for a component without a manifest")]
pub(crate) struct GrantArgs {
    /// Set an environment variable
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = parse_env)]
    env: Vec<EnvGrant>,
    /// Let it use a folder, by the same name or as GUEST; `:ro` forbids changes
    #[arg(long = "dir", value_name = "HOST[::GUEST][:ro]", value_parser = parse_dir)]
    dir: Vec<DirGrant>,
    /// Let it open sockets to `HOST:PORT`: an address, a network such as `10.0.0.0/8`, or `*` for the public internet
    #[arg(long = "allow-net", value_name = "PATTERN", value_parser = parse_net)]
    allow_net: Vec<NetPattern>,
    /// Let it send HTTP requests to servers, such as `https://api.example.com` or `https://*.example.com`
    #[arg(long = "allow-http", value_name = "PATTERN", value_parser = parse_http)]
    allow_http: Vec<HttpPattern>,
    /// Let it keep key-value state under this label; `:ro` forbids changes
    #[arg(long = "keyvalue", value_name = "LABEL[:ro]", value_parser = LabelGrant::parse)]
    keyvalue: Vec<LabelGrant>,
    /// Let it use the database of this label; `:ro` forbids changes
    #[arg(long = "sql", value_name = "LABEL[:ro]", value_parser = LabelGrant::parse)]
    sql: Vec<LabelGrant>,
    /// Let it keep blobs under this label; `:ro` forbids changes
    #[arg(long = "blobstore", value_name = "LABEL[:ro]", value_parser = LabelGrant::parse)]
    blobstore: Vec<LabelGrant>,
    /// Let it send messages under this label
    #[arg(long = "messaging", value_name = "LABEL", value_parser = LabelGrant::parse_sent)]
    messaging: Vec<LabelGrant>,
    /// Give it a configuration value
    #[arg(long = "config", value_name = "KEY=VALUE", value_parser = ConfigGrant::parse)]
    config: Vec<ConfigGrant>,
    /// Let it have a secret, which has its value from `wharf secrets set`
    #[arg(long = "secret", value_name = "NAME", value_parser = SecretGrant::parse)]
    secrets: Vec<SecretGrant>,
}

/// Where the labels of a component without a manifest are
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Where labels are")]
pub(crate) struct PlaceArgs {
    /// Where labels have their state, as for `wharf up` of this file [default: in the user's cache]
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// The operator's file, which binds labels to backends [default: node.toml beside the component, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) node: Option<PathBuf>,
}

impl GrantArgs {
    /// Returns the grants if there are any. Relative folders start at the current one, wherever the component is.
    pub(crate) fn given(&self) -> Option<Grants> {
        let grants = self.grants(&std::env::current_dir().unwrap_or_default());
        (grants != Grants::default()).then_some(grants)
    }

    /// Returns the grants. Relative folders start at the current one, wherever the component is.
    pub(crate) fn grants(&self, current: &Path) -> Grants {
        let mut files = self.dir.clone();
        for grant in &mut files {
            grant.host = current.join(&grant.host).display().to_string();
        }
        let http = self.allow_http.iter().cloned().map(HttpGrant::External).collect();
        Grants {
            environment: self.env.clone(),
            files,
            http,
            net: self.allow_net.clone(),
            keyvalue: last(&self.keyvalue, |grant| &grant.label),
            sql: last(&self.sql, |grant| &grant.label),
            blobstore: last(&self.blobstore, |grant| &grant.label),
            messaging: last(&self.messaging, |grant| &grant.label),
            config: last(&self.config, |grant| &grant.key),
            secrets: last(&self.secrets, |grant| &grant.name),
            ..Grants::default()
        }
    }
}

/// Returns the flags without those that are given again: what is said last holds.
fn last<T: Clone>(flags: &[T], name: impl Fn(&T) -> &String) -> Vec<T> {
    let again = |at: usize, flag: &T| flags[at + 1..].iter().any(|later| name(later) == name(flag));
    flags.iter().enumerate().filter(|(at, flag)| !again(*at, flag)).map(|(_, flag)| flag.clone()).collect()
}

fn parse_env(text: &str) -> Result<EnvGrant, wharf_app::PatternError> {
    EnvGrant::parse(text)
}

fn parse_dir(text: &str) -> Result<DirGrant, wharf_app::PatternError> {
    DirGrant::parse(text, Access::ReadWrite)
}

fn parse_http(text: &str) -> Result<HttpPattern, wharf_app::PatternError> {
    HttpPattern::parse(text)
}

fn parse_net(text: &str) -> Result<NetPattern, wharf_app::PatternError> {
    NetPattern::parse(text)
}
