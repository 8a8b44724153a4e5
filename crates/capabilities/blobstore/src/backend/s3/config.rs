//! What the operator says about a server, and the client that is made of it.

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{BackoffConfig, Certificate, ClientOptions, RetryConfig};
use serde::Deserialize;
use std::time::Duration;
use wharf_kit::{BackendError, Period, Size};
use wharf_servers::tls::{Pem, Tls};

/// The least that S3 takes as a part.
const PART_BYTES_MIN: u64 = 5 << 20;

/// How long a connection may wait for its next request: servers close them after 20 seconds.
const IDLE: Duration = Duration::from_secs(15);

/// The longest wait before the first repetition; it doubles with each one, and each is a random part of it.
const BACKOFF: Duration = Duration::from_millis(50);

/// After this long no request is repeated.
const RETRY: Duration = Duration::from_secs(10);

/// The settings.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The server's address, such as `https://minio.example.org:9000`. Absent for that of AWS in the region.
    pub endpoint: Option<String>,
    /// The bucket. It has to be there.
    pub bucket: String,
    /// The region that signatures name.
    #[serde(default = "region")]
    pub region: String,
    /// The id of the key.
    pub access_key: String,
    /// The secret of the key.
    pub secret_key: String,
    /// The token of a key that is for some time only.
    pub session_token: Option<String>,
    /// What stands in front of all keys.
    #[serde(default)]
    pub prefix: String,
    /// Whether the bucket is the first part of the server's name instead of the path. An `endpoint` then has it already.
    #[serde(default)]
    pub virtual_hosted: bool,
    /// Whether an address may be `http://`: keys and data are then readable by whoever is between.
    #[serde(default)]
    pub allow_http: bool,
    /// Who has to have signed the server's certificate, in place of those whom the platform trusts: a PEM file, or its text.
    pub authorities: Option<Pem>,
    /// The size of the parts of large objects, 5 MiB or more. There are 10,000 parts at most, so that it bounds the size of an object.
    #[serde(default = "part_size")]
    pub part_size: Size,
    /// How many objects over 1 MiB may be written at once; each has up to two parts in memory. More wait for their turn.
    #[serde(default = "large_uploads")]
    pub large_uploads: usize,
    /// How long a new connection may take.
    #[serde(default = "connect_timeout")]
    pub connect_timeout: Period,
    /// How often a request is repeated that the server did not answer, or not well.
    #[serde(default = "retries")]
    pub retries: usize,
}

fn region() -> String {
    "us-east-1".to_owned()
}

fn part_size() -> Size {
    Size(PART_BYTES_MIN)
}

/// 160 MiB of parts at the most.
fn large_uploads() -> usize {
    16
}

/// A server that is there answers within milliseconds; this is for one far away under load.
fn connect_timeout() -> Period {
    Period(Duration::from_secs(2))
}

/// With the waits in between, a call to a server that refuses connections fails within half a second.
fn retries() -> usize {
    2
}

impl Config {
    /// Looks for what cannot work, without asking the server.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if let Some(endpoint) = &self.endpoint {
            let is_plain = endpoint.starts_with("http://");
            if !is_plain && !endpoint.starts_with("https://") {
                return Err("`endpoint` does not start with `https://`");
            }
            if is_plain && self.authorities.is_some() {
                return Err("`authorities` is for TLS, which is not wanted: write `https://` in `endpoint`");
            }
            if is_plain && !self.allow_http {
                return Err("`endpoint` starts with `http://`, which `allow_http = true` has to allow");
            }
            if endpoint.contains('@') {
                return Err("`endpoint` has a user in it: keys belong into `access_key` and `secret_key`");
            }
        }
        if self.part_size.0 < PART_BYTES_MIN {
            return Err("`part_size` is below 5 MiB, the least that S3 takes");
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
        let is_segment = |part: &str| !matches!(part, "" | "." | "..");
        let prefix = self.prefix.trim_matches('/');
        let is_path = prefix.chars().all(is_plain) && prefix.split('/').all(is_segment);
        if prefix.is_empty() || is_path {
            Ok(())
        } else {
            Err("`prefix` is no path of letters, digits, `-`, `_` and `.`")
        }
    }

    /// Reads whom to trust. Empty for those of the platform. Blocks on the file.
    pub(super) fn trusted(&self) -> Result<Vec<Certificate>, BackendError> {
        let Some(authorities) = &self.authorities else { return Ok(Vec::new()) };
        // Only to hear now of what cannot be used, and in the words of every backend.
        Tls { authorities: Some(authorities.clone()), ..Tls::default() }.config()?;
        let wrong = |error| BackendError::Settings(format!("TLS cannot be used: {error}"));
        let found = authorities.certificates("authorities")?;
        found.iter().map(|one| Certificate::from_der(one).map_err(wrong)).collect()
    }

    /// Makes a client that trusts these, or those of the platform where there are none.
    pub(super) fn client(&self, trusted: &[Certificate]) -> object_store::Result<AmazonS3> {
        // Each call has its deadline in front of the backend; a limit of whole requests would end long streams.
        let options = ClientOptions::new()
            .with_allow_http(self.allow_http)
            .with_connect_timeout(self.connect_timeout.0)
            .with_timeout_disabled()
            .with_pool_idle_timeout(IDLE)
            .with_no_system_certificates(!trusted.is_empty());
        let options = trusted.iter().cloned().fold(options, ClientOptions::with_root_certificate);
        let backoff = BackoffConfig { init_backoff: BACKOFF, max_backoff: BACKOFF * 8, base: 2.0 };
        let retry = RetryConfig { backoff, max_retries: self.retries, retry_timeout: RETRY };
        let is_encrypted = self.endpoint.as_ref().is_none_or(|endpoint| endpoint.starts_with("https://"));
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&self.bucket)
            .with_region(&self.region)
            .with_access_key_id(&self.access_key)
            .with_secret_access_key(&self.secret_key)
            .with_virtual_hosted_style_request(self.virtual_hosted)
            // Where TLS guards the data, hashing all of it would only hold up the core.
            .with_unsigned_payload(is_encrypted)
            .with_client_options(options)
            .with_retry(retry);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(token) = &self.session_token {
            builder = builder.with_token(token);
        }
        builder.build()
    }
}
