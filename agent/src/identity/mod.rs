//! The node's identity: a key that is created here and never leaves, and a certificate of the cluster's authority.

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

use heeler_host::{Content, File, Secret, System, content};
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

/// Why the node's identity cannot be used.
#[expect(missing_docs, reason = "the messages say it")]
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("could not {action} {path}")]
    File {
        action: &'static str,
        path: &'static str,
        source: io::Error,
    },
    #[error("{KEY_PATH} has mode {0:04o}: others may have read it. Remove it, then: heeler node add")]
    KeyMode(u32),
    #[error("{KEY_PATH} holds no P-256 key. Remove it, then: heeler node add")]
    Key,
    #[error("could not make a key or a request for a certificate: the system gives no randomness")]
    Make,
    #[error("the certificate is not readable: {0}")]
    Certificate(String),
    #[error("the certificate does not fit this node's key")]
    Foreign(#[source] rustls::Error),
}

/// The node's key, and access to its certificate.
pub struct Identity {
    host: Arc<dyn System>,
    key: Key,
}

pub struct Certificate {
    /// The chain, this node's certificate first.
    pub chain: Vec<CertificateDer<'static>>,
    /// When it is valid.
    pub validity: Validity,
}

impl Identity {
    /// Reads the key; creates it when it is missing. Fails when the key cannot be read, created or written, or other
    /// users may read it.
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

    /// The public key as SubjectPublicKeyInfo in PEM.
    pub fn public_key_pem(&self) -> String {
        self.key.public_pem()
    }

    /// A certification request in DER, which proves that this node has its key. The name in it is only for display: the
    /// authority uses the name that it knows. Fails when the system gives no randomness.
    pub fn request(&self, node: &NodeName) -> Result<Vec<u8>, IdentityError> {
        request::request(&self.key, node).map_err(|_| IdentityError::Make)
    }

    /// The certificate on disk; None when there is none. Fails when the file cannot be read or is not a certificate.
    pub async fn certificate(&self) -> Result<Option<Certificate>, IdentityError> {
        certificate(self.host.as_ref()).await
    }

    /// Stores a new certificate, which is used from the next connection on. Fails when it is not for this node's key,
    /// or cannot be written.
    pub async fn install(&self, chain_pem: &str, trust: &Trust) -> Result<Certificate, IdentityError> {
        let certificate = parse(chain_pem.as_bytes())?;
        trust
            .client(certificate.chain.clone(), self.private_key())
            .map_err(IdentityError::Foreign)?;
        let pem = Content::Plain(chain_pem.as_bytes().to_vec());
        keep(self.host.as_ref(), CERTIFICATE_PATH, pem).await?;
        Ok(certificate)
    }

    /// The private key, for TLS.
    pub fn private_key(&self) -> PrivateKeyDer<'static> {
        self.key.der()
    }
}

/// The end of the validity of the certificate on disk, Unix milliseconds; None when there is none. Fails when the file
/// cannot be read or is not a certificate.
pub async fn certificate_on_disk(host: &dyn System) -> Result<Option<u64>, IdentityError> {
    Ok(certificate(host).await?.map(|known| known.validity.until_ms))
}

async fn certificate(host: &dyn System) -> Result<Option<Certificate>, IdentityError> {
    let pem = content(host, Path::new(CERTIFICATE_PATH)).await;
    let pem = pem.map_err(file("read", CERTIFICATE_PATH))?;
    pem.map(|pem| parse(&pem)).transpose()
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
