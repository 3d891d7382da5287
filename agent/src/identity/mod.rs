//! Who this node is: a key that is made here and never leaves, and a certificate of the cluster's authority.

mod crypto;
mod enrol;
mod key;
mod request;
mod subject;
mod tls;
mod validity;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use heeler_host::{Content, File, Secret, System};
use heeler_proto::NodeName;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use self::key::Key;
pub use enrol::{EnrolError, enrol, remove_token, token};
pub use subject::cluster;
pub use tls::Trust;
pub use validity::Validity;

const KEY_PATH: &str = "/var/lib/heeler-agent/identity/key.pem";
const CERTIFICATE_PATH: &str = "/var/lib/heeler-agent/identity/certificate.pem";

/// What is wrong with the node's identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file system.
    #[error("could not {action} {path}")]
    File {
        /// What completes "could not …".
        action: &'static str,
        /// On which file.
        path: &'static str,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Others may read the key.
    #[error("{KEY_PATH} has mode {0:04o}: others may have read it. Remove it, then: heeler node add")]
    KeyMode(u32),
    /// Not a P-256 key.
    #[error("{KEY_PATH} holds no P-256 key. Remove it, then: heeler node add")]
    Key,
    /// Signing, or randomness.
    #[error("could not make a key or a request for a certificate: the system gives no randomness")]
    Make,
    /// Not PEM, not X.509.
    #[error("the certificate is not readable: {0}")]
    Certificate(String),
    /// Somebody else's, or of a type that we do not use.
    #[error("the certificate does not fit this node's key")]
    Foreign(#[source] rustls::Error),
}

/// The node's key, and where its certificate is.
pub struct Identity {
    host: Arc<dyn System>,
    key: Key,
}

/// The certificate in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// When it holds.
    pub validity: Validity,
}

impl Identity {
    /// Reads the key, or makes it when it is missing.
    ///
    /// # Errors
    /// When the key cannot be read, made or kept, or is open to others.
    pub async fn open(host: Arc<dyn System>) -> Result<Self, IdentityError> {
        let path = Path::new(KEY_PATH);
        let key = match host.read(path).await {
            Ok(pem) => {
                let mode = host.mode(path).await.map_err(file("read", KEY_PATH))? & 0o7777;
                if mode & 0o077 != 0 {
                    return Err(IdentityError::KeyMode(mode));
                }
                Key::from_pem(&pem).ok_or(IdentityError::Key)?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Key::generate().map_err(|_| IdentityError::Make)?;
                let pem = key.pem().into_bytes();
                keep(host.as_ref(), KEY_PATH, Content::Secret(Secret::new(pem))).await?;
                key
            }
            Err(error) => return Err(file("read", KEY_PATH)(error)),
        };
        Ok(Self { host, key })
    }

    /// PEM, SubjectPublicKeyInfo.
    #[must_use]
    pub fn public_key_pem(&self) -> String {
        self.key.public_pem()
    }

    /// A request for a certificate, DER: the proof that this node holds its key. The name in it is for the eye: the
    /// authority puts in what it knows.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn request(&self, node: &NodeName) -> Result<Vec<u8>, IdentityError> {
        request::request(&self.key, node).map_err(|_| IdentityError::Make)
    }

    /// The certificate on the disk, if there is one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn certificate(&self) -> Result<Option<Certificate>, IdentityError> {
        match self.host.read(Path::new(CERTIFICATE_PATH)).await {
            Ok(pem) => parse(&pem).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(file("read", CERTIFICATE_PATH)(error)),
        }
    }

    /// Puts a new certificate in force: from the next connection on.
    ///
    /// # Errors
    /// When it is not for this node's key, or cannot be kept.
    pub async fn install(&self, chain_pem: &str, trust: &Trust) -> Result<Certificate, IdentityError> {
        let certificate = parse(chain_pem.as_bytes())?;
        trust
            .client(certificate.chain.clone(), self.private_key())
            .map_err(IdentityError::Foreign)?;
        let pem = Content::Plain(chain_pem.as_bytes().to_vec());
        keep(self.host.as_ref(), CERTIFICATE_PATH, pem).await?;
        Ok(certificate)
    }

    /// For the TLS connection.
    #[must_use]
    pub fn private_key(&self) -> PrivateKeyDer<'static> {
        self.key.der()
    }
}

/// Until when the certificate on the disk is good, Unix milliseconds; None without one.
///
/// # Errors
/// When it cannot be read.
pub async fn certificate_on_disk(host: &dyn System) -> Result<Option<u64>, IdentityError> {
    match host.read(Path::new(CERTIFICATE_PATH)).await {
        Ok(pem) => Ok(Some(parse(&pem)?.validity.until_ms)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file("read", CERTIFICATE_PATH)(error)),
    }
}

fn parse(pem: &[u8]) -> Result<Certificate, IdentityError> {
    let chain = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| IdentityError::Certificate(error.to_string()))?;
    let validity = chain.first().and_then(|leaf| Validity::of(leaf));
    let validity = validity.ok_or_else(|| IdentityError::Certificate("no X.509 certificate in it".to_owned()))?;
    Ok(Certificate { chain, validity })
}

async fn keep(host: &dyn System, path: &'static str, content: Content) -> Result<(), IdentityError> {
    let new = File {
        path: PathBuf::from(path),
        content,
        mode: 0o600,
    };
    host.write(&new).await.map_err(file("write", path))
}

fn file(action: &'static str, path: &'static str) -> impl FnOnce(io::Error) -> IdentityError {
    move |source| IdentityError::File { action, path, source }
}
