//! The token that the server is asked with.

use reqwest::header::HeaderValue;
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};
use zeroize::Zeroizing;

/// A token: fixed, or in a file that somebody writes again from time to time.
pub(super) struct Token {
    /// Absent when there is none, or it has characters that no header has.
    current: RwLock<Option<HeaderValue>>,
    file: Option<PathBuf>,
}

impl Token {
    /// Returns a token that stays.
    pub(super) fn fixed(token: &str) -> Self {
        Self { current: RwLock::new(header(token)), file: None }
    }

    /// Returns the token of a file, which may come later. Blocks.
    pub(super) fn in_file(file: PathBuf) -> Self {
        let token = Self { current: RwLock::new(None), file: Some(file) };
        token.read();
        token
    }

    /// Tells whether it is a fixed one that can never be sent.
    pub(super) fn is_unusable(&self) -> bool {
        self.file.is_none() && self.header().is_none()
    }

    /// Returns it as the value of a header.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells whether it can change.
    pub(super) fn is_in_file(&self) -> bool {
        self.file.is_some()
    }

    /// Reads the file again. If it cannot be read, the token stays as it is. Blocks.
    pub(super) fn read(&self) {
        let Some(file) = &self.file else { return };
        let token = match std::fs::read(file) {
            Ok(bytes) => {
                let bytes = Zeroizing::new(bytes);
                str::from_utf8(&bytes).ok().and_then(|text| header(text.trim()))
            }
            Err(error) => {
                tracing::warn!("cannot read the token of Vault in {}: {error}", file.display());
                return;
            }
        };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = token;
    }
}

fn header(token: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(token).ok().filter(|value| !value.is_empty())?;
    // Not shown where headers are.
    value.set_sensitive(true);
    Some(value)
}
