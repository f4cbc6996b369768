//! Certificates for tests of TLS, in files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;

/// A folder with `ca.pem`, and the pairs `NAME.pem` and `NAME.key` that an authority has signed.
pub struct Certificates {
    folder: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Certificates {
    /// Makes an authority, and the pair `good` for these hosts.
    pub fn new(hosts: &[&str]) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // OpenSSL treats a certificate with its issuer's name as self-signed.
        params.distinguished_name.push(DnType::CommonName, "an authority of tests");
        let key = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let made = Self { folder: tempfile::tempdir().expect("a folder"), authority };
        made.write("ca.pem", &made.authority.pem());
        made.pair("good", hosts, false, true);
        made
    }

    /// Makes the pair `expired`.
    pub fn expired(&self, hosts: &[&str]) {
        self.pair("expired", hosts, true, true);
    }

    /// Makes the pair `selfsigned`, which the authority has not signed.
    pub fn self_signed(&self, hosts: &[&str]) {
        self.pair("selfsigned", hosts, false, false);
    }

    /// Makes the pair `other`, for these hosts.
    pub fn other(&self, hosts: &[&str]) {
        self.pair("other", hosts, false, true);
    }

    fn pair(&self, name: &str, hosts: &[&str], is_expired: bool, is_signed: bool) {
        let names: Vec<_> = hosts.iter().map(|&host| host.to_owned()).collect();
        let (mut params, key) = (CertificateParams::new(names).expect("names"), KeyPair::generate().expect("a key"));
        if is_expired {
            (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        }
        let made = if is_signed { params.signed_by(&key, &self.authority) } else { params.self_signed(&key) };
        self.write(&format!("{name}.pem"), &made.expect("a certificate").pem());
        self.write(&format!("{name}.key"), &key.serialize_pem());
    }

    fn write(&self, name: &str, contents: &str) {
        let path = self.folder.path().join(name);
        fs::write(&path, contents).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("permissions");
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file of the authority.
    pub fn authority(&self) -> PathBuf {
        self.folder().join("ca.pem")
    }

    /// The options of an end that calls.
    pub fn calling(&self) -> Vec<String> {
        vec!["--tls-ca".into(), self.authority().display().to_string()]
    }

    /// The options of an end that listens with this pair.
    pub fn listening(&self, name: &str) -> Vec<String> {
        let path = |ending: &str| self.folder().join(format!("{name}.{ending}")).display().to_string();
        vec!["--tls-cert".into(), path("pem"), "--tls-key".into(), path("key")]
    }
}
