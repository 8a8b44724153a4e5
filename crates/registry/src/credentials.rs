//! Names and passwords for registries, from where `docker login` and `podman login` keep them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tokio::io::AsyncWriteExt;

use crate::Error;

/// A file of credentials has a few KiB.
const FILE_LEN_MAX: u64 = 1 << 20;

/// A helper may have to ask somebody; it should not make a build hang.
const HELPER_WAIT: Duration = Duration::from_secs(30);

/// The user name that stands for a token in the place of a password.
const TOKEN_USER: &str = "<token>";

/// Files with credentials, in the order in which they are asked.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    files: Vec<PathBuf>,
}

/// How to log in.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Login {
    Password { user: String, password: String },
    Identity { token: String },
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login")
    }
}

/// The part of Docker's `config.json` that is about credentials.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct File {
    auths: BTreeMap<String, Entry>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: String,
    identitytoken: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

impl Credentials {
    /// Takes the files that are there, such as `~/.docker/config.json`. Reads them when a registry asks.
    pub fn of_files(files: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { files: files.into_iter().collect() }
    }

    /// Returns the login for a registry; none when no file has one.
    pub(crate) async fn login(&self, host: &str) -> Result<Option<Login>, Error> {
        for path in &self.files {
            let Some(file) = read(path, host)? else { continue };
            if let Some(login) = file.login(path, host).await? {
                return Ok(Some(login));
            }
        }
        Ok(None)
    }
}

/// The names that a registry may have in a file.
fn keys(host: &str) -> Vec<String> {
    let mut keys =
        vec![host.to_owned(), format!("https://{host}"), format!("https://{host}/"), format!("http://{host}")];
    if matches!(host, "docker.io" | "registry-1.docker.io" | "index.docker.io") {
        keys.extend(["https://index.docker.io/v1/", "index.docker.io", "docker.io"].map(str::to_owned));
    }
    keys
}

fn read(path: &Path, host: &str) -> Result<Option<File>, Error> {
    let fail =
        |reason: String| Error::Credentials { host: host.to_owned(), reason: format!("{}: {reason}", path.display()) };
    let length = match std::fs::metadata(path) {
        Ok(data) => data.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(error.to_string())),
    };
    if length > FILE_LEN_MAX {
        return Err(fail("the file is larger than 1 MiB".to_owned()));
    }
    let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
    // What the parser quotes could be a password: only the place is told.
    let file = serde_json::from_str(&text);
    file.map(Some).map_err(|error| fail(format!("the file is not JSON of the right form, at line {}", error.line())))
}

impl File {
    async fn login(&self, path: &Path, host: &str) -> Result<Option<Login>, Error> {
        let keys = keys(host);
        for key in &keys {
            if let Some(helper) = self.cred_helpers.get(key)
                && let Some(login) = ask(helper, key, host).await?
            {
                return Ok(Some(login));
            }
        }
        for key in &keys {
            let Some(entry) = self.auths.get(key) else { continue };
            if !entry.identitytoken.is_empty() {
                return Ok(Some(Login::Identity { token: entry.identitytoken.clone() }));
            }
            if !entry.auth.is_empty() {
                return decode(&entry.auth).map(Some).ok_or_else(|| Error::Credentials {
                    host: host.to_owned(),
                    reason: format!("{}: `auth` of {key} is not `USER:PASSWORD` in base64", path.display()),
                });
            }
        }
        let Some(helper) = &self.creds_store else { return Ok(None) };
        for key in &keys {
            if let Some(login) = ask(helper, key, host).await? {
                return Ok(Some(login));
            }
        }
        Ok(None)
    }
}

fn decode(auth: &str) -> Option<Login> {
    let text = String::from_utf8(STANDARD.decode(auth.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some(Login::Password { user: user.to_owned(), password: password.trim_end_matches('\0').to_owned() })
}

/// Runs `docker-credential-HELPER get`. None when it has nothing for that name.
async fn ask(helper: &str, key: &str, host: &str) -> Result<Option<Login>, Error> {
    let fail = |reason: String| Error::Credentials { host: host.to_owned(), reason };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if helper.is_empty() || !helper.chars().all(is_plain) {
        return Err(fail(
            "the name of the credential helper has other characters than letters, digits, `-`, `_` and `.`".to_owned(),
        ));
    }
    let program = format!("docker-credential-{helper}");
    let mut command = tokio::process::Command::new(&program);
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let run = async {
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A helper that ends without reading says so by its exit code.
            let _ = stdin.write_all(key.as_bytes()).await;
        }
        child.wait_with_output().await
    };
    let output = match tokio::time::timeout(HELPER_WAIT, run).await {
        Ok(output) => output.map_err(|error| fail(format!("cannot run {program}: {error}")))?,
        Err(_) => return Err(fail(format!("{program} did not answer within {} s", HELPER_WAIT.as_secs()))),
    };
    if !output.status.success() {
        // That is how helpers say that they have nothing.
        return Ok(None);
    }
    let answer: Answer = serde_json::from_slice(&output.stdout).map_err(|error| {
        fail(format!("{program} answered something else than credentials, at line {}", error.line()))
    })?;
    Ok(Some(match answer.username.as_str() {
        TOKEN_USER => Login::Identity { token: answer.secret },
        _ => Login::Password { user: answer.username, password: answer.secret },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(config: &str, host: &str) -> Result<Option<Login>, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, config).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let missing = folder.path().join("none.json");
        runtime.block_on(Credentials::of_files([missing, path]).login(host))
    }

    #[test]
    fn a_login_is_found_by_the_name_of_the_registry() {
        let config = r#"{"auths": {"ghcr.io": {"auth": "bWU6c2VjcmV0OjE="}, "https://index.docker.io/v1/": {"identitytoken": "t"}, "x": {}}}"#;
        let password = Login::Password { user: "me".to_owned(), password: "secret:1".to_owned() };
        assert_eq!(login(config, "ghcr.io").unwrap(), Some(password));
        assert_eq!(login(config, "docker.io").unwrap(), Some(Login::Identity { token: "t".to_owned() }));
        assert_eq!(login(config, "other.example").unwrap(), None);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_without_its_content() {
        for config in
            [r#"{"auths": {"ghcr.io": {"auth": 12345}}}"#, r#"{"auths": {"ghcr.io": {"auth": "hunter2"}}}"#, "hunter2"]
        {
            let error = login(config, "ghcr.io").unwrap_err().to_string();
            assert!(error.contains("config.json") && !error.contains("hunter2") && !error.contains("12345"), "{error}");
        }
    }

    #[test]
    fn a_helper_with_a_strange_name_is_not_run() {
        let error = login(r#"{"credsStore": "../../bin/sh"}"#, "ghcr.io").unwrap_err();
        assert!(error.to_string().contains("helper"), "{error}");
        let error = login(r#"{"credHelpers": {"ghcr.io": "surely-not-there"}}"#, "ghcr.io").unwrap_err();
        assert!(error.to_string().contains("docker-credential-surely-not-there"), "{error}");
    }
}
