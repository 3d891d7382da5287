use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier, client::WantsClientCert, version::TLS13};

use super::crypto::provider;
use crate::clock::Clock;

/// The one authority that this node trusts, and the time by which it judges certificates.
#[derive(Debug, Clone)]
pub struct Trust {
    roots: Arc<RootCertStore>,
    clock: Clock,
}

impl Trust {
    /// Trusts `ca` alone.
    ///
    /// # Errors
    /// When `ca` is no certificate.
    pub fn new(ca: CertificateDer<'static>, clock: Clock) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(ca)?;
        Ok(Self {
            roots: Arc::new(roots),
            clock,
        })
    }

    /// A connection that shows this node's certificate.
    ///
    /// # Errors
    /// When the certificate does not fit the key.
    pub fn client(
        &self,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Arc<ClientConfig>, rustls::Error> {
        finished(self.builder()?.with_client_auth_cert(chain, key)?)
    }

    /// A connection of a node that has no certificate yet.
    ///
    /// # Errors
    /// When the cryptography does not know TLS 1.3.
    pub fn stranger(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        finished(self.builder()?.with_no_client_auth())
    }

    fn builder(&self) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, rustls::Error> {
        let builder: ConfigBuilder<ClientConfig, WantsVerifier> =
            ClientConfig::builder_with_details(provider(), Arc::new(self.clock.clone()))
                .with_protocol_versions(&[&TLS13])?;
        Ok(builder.with_root_certificates(Arc::clone(&self.roots)))
    }
}

fn finished(mut config: ClientConfig) -> Result<Arc<ClientConfig>, rustls::Error> {
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}
