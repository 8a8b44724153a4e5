//! An authority of certificates: what servers and clients of a test show, good and bad.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd,
};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// An authority that nobody else trusts, with its certificate in a temporary folder.
#[derive(Debug)]
pub struct Authority {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate that an authority has signed, and its key, both as PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

/// What a server shows that a client must refuse.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The certificate and its key.
    pub identity: Identity,
    /// Whether the client is told to trust the authority.
    pub trusts: bool,
    /// What follows `the certificate of the server` in what the host says.
    pub why: &'static str,
}

impl Authority {
    /// Makes one.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are fine names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key can be made");
        // Authorities are found by their names.
        params.distinguished_name.push(DnType::CommonName, format!("authority {:?}", params.key_identifier(&key)));
        let pem = params.self_signed(&key).expect("a certificate can be made").pem();
        let folder = TempDir::new().expect("a temporary folder can be made");
        fs::write(folder.path().join("authority.pem"), &pem).expect("a temporary file can be written");
        Self { folder, issuer: Issuer::new(params, key), pem }
    }

    /// Returns the file of its own certificate.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// Returns its own certificate as PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Returns what a server on loopback shows.
    pub fn server(&self) -> Identity {
        self.signed(Self::params(&["localhost", "127.0.0.1"]))
    }

    /// Returns what a server of another name shows.
    pub fn misnamed(&self) -> Identity {
        self.signed(Self::params(&["other.example"]))
    }

    /// Returns what a server on loopback shows that nobody has cared for.
    pub fn expired(&self) -> Identity {
        let mut params = Self::params(&["localhost", "127.0.0.1"]);
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        self.signed(params)
    }

    /// Returns what servers show that a client must refuse.
    pub fn refused(&self) -> [Refused; 4] {
        let refused = |identity, trusts, why| Refused { identity, trusts, why };
        let stranger = "is signed by nobody whom the host trusts";
        [
            refused(self.misnamed(), true, "is for another name"),
            refused(self.expired(), true, "has expired"),
            refused(Self::new().server(), true, stranger),
            // Without a word it is those of the platform, who do not know this one.
            refused(self.server(), false, stranger),
        ]
    }

    /// Returns what a client shows.
    pub fn client(&self, name: &str) -> Identity {
        let mut params = Self::params(&[]);
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
        self.signed(params)
    }

    fn params(names: &[&str]) -> CertificateParams {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        CertificateParams::new(names).expect("these are names")
    }

    fn signed(&self, params: CertificateParams) -> Identity {
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate can be signed");
        Identity { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Identity {
    /// Returns it as the settings of a backend, the certificate and the key as texts.
    pub fn settings(&self) -> String {
        format!("certificate = '''{}'''\nkey = '''{}'''\n", self.certificate, self.key)
    }
}
