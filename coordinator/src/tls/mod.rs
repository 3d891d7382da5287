//! TLS 1.3 with rustls and ring. Clients need a certificate of our authority, except for enrolment.

mod accept;
mod clients;
mod files;
mod keys;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::UnixTime;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;

use crate::clock::Clock;
use crate::pki::{Authorities, ServerIdentity};
use clients::Clients;

pub use accept::{Allowed, Caller, Connection, Patience, accept};
pub use keys::{NodeKeys, Serves};

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("could not set up TLS")]
    Rustls(#[from] rustls::Error),
    #[error("the certificate authority cannot be used to verify nodes")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
}

/// The coordinator's certificate, which can be replaced while connections are open.
pub struct Certificate {
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate")
    }
}

impl Certificate {
    /// Loads the key and certificates. Fails when key and certificate do not belong together.
    pub fn new(identity: ServerIdentity) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = CertifiedKey::from_der(identity.chain, identity.key, &provider)?;
        Ok(Self {
            provider,
            current: RwLock::new(Arc::new(key)),
        })
    }

    /// Uses another certificate from the next handshake on. Fails when key and certificate do not belong together; the
    /// old one stays.
    pub fn replace(&self, identity: ServerIdentity) -> Result<(), TlsError> {
        let key = CertifiedKey::from_der(identity.chain, identity.key, &self.provider)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
        Ok(())
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

struct Time(Arc<dyn Clock>);

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Time")
    }
}

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_millis(self.0.now_ms())))
    }
}

/// Configuration for the listeners of agents and remote operators. The handshake fails without a certificate of an
/// authority in force, or with a key that is shut out. Fails when rustls refuses the configuration.
pub fn for_clients(
    authorities: &Arc<Authorities>,
    certificate: &Arc<Certificate>,
    clock: &Arc<dyn Clock>,
    allowed: &Allowed,
) -> Result<ServerConfig, TlsError> {
    let provider = certificate.provider.clone();
    let verifier = Arc::new(Clients::new(authorities.clone(), provider.clone(), allowed.clone())?);
    let config = ServerConfig::builder_with_details(provider, Arc::new(Time(clock.clone())))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(certificate.clone());
    Ok(finished(config))
}

/// Configuration for enrolment: nodes have no certificate yet, only a token. Fails when rustls refuses the
/// configuration.
pub fn for_enrolment(certificate: Arc<Certificate>, clock: Arc<dyn Clock>) -> Result<ServerConfig, TlsError> {
    let config = ServerConfig::builder_with_details(certificate.provider.clone(), Arc::new(Time(clock)))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    Ok(finished(config))
}

/// Disables resumption, so that every connection shows its certificate.
fn finished(mut config: ServerConfig) -> ServerConfig {
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}
