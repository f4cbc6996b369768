//! Certificates for tests.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

use super::{Authority, Certificate, Tls, pem};
use crate::link::Kind;
use crate::socket::Socket;

/// A folder with the certificates and keys that a test makes, in PEM form.
pub(crate) struct Made {
    folder: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Made {
    /// Makes an authority.
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let made = Self { folder: tempfile::tempdir().unwrap(), authority };
        made.write("authority", &made.authority.pem());
        made
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, contents: &str) {
        std::fs::write(self.path(name), contents).unwrap();
    }

    /// A certificate for this host, modified by `change`; signed by the authority or by itself.
    pub(crate) fn certificate(&self, host: &str, is_signed: bool, change: impl FnOnce(&mut CertificateParams)) -> Tls {
        let (mut params, key) = (CertificateParams::new(vec![host.into()]).unwrap(), KeyPair::generate().unwrap());
        change(&mut params);
        let certificate =
            if is_signed { params.signed_by(&key, &self.authority) } else { params.self_signed(&key) }.unwrap();
        self.write("certificate", &certificate.pem());
        self.write("key", &key.serialize_pem());
        let (chain, key) = (pem::certificates(&self.path("certificate")), pem::key(&self.path("key")));
        let certificate = Certificate::new(chain.unwrap(), key.unwrap()).unwrap();
        Tls { certificate: Some(certificate), authority: None }
    }

    /// The settings of a caller that trusts the certificates in this file.
    pub(crate) fn trusting(&self, name: &str) -> Tls {
        Tls { certificate: None, authority: Some(Authority::read(&self.path(name)).unwrap()) }
    }
}

/// A certificate that has expired.
pub(crate) fn expired(params: &mut CertificateParams) {
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
}

/// Both ends of a connection in the clear.
pub(crate) async fn streams() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (ours, theirs) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (ours.unwrap(), theirs.unwrap().0)
}

/// Both ends of a connection inside TLS: the caller's and the listener's.
pub(crate) async fn sockets(link: Kind) -> (Socket, Socket) {
    let made = Made::new();
    let (listening, calling) = (made.certificate("127.0.0.1", true, |_| ()), made.trusting("authority"));
    let (ours, theirs) = streams().await;
    let (ours, theirs) = tokio::join!(calling.call(ours, "127.0.0.1:1", link), listening.accept(theirs));
    (ours.unwrap(), theirs.unwrap())
}
