use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ConfigBuilder, DigitallySignedStruct, Error, SignatureScheme, client::WantsClientCert, version::TLS13,
};

use super::Validity;
use super::crypto::provider;
use crate::clock::Clock;
use crate::trusted::Trusted;

/// The authorities that this node trusts, and the clock for the validity of certificates.
#[derive(Clone)]
pub struct Trust {
    trusted: Arc<Trusted>,
    clock: Clock,
}

impl Trust {
    /// Asks `trusted` for the authorities at each connection.
    pub const fn new(trusted: Arc<Trusted>, clock: Clock) -> Self {
        Self { trusted, clock }
    }

    /// TLS with this node's certificate. Fails when the certificate is not for the key.
    pub fn client(
        &self,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Arc<ClientConfig>, Error> {
        Ok(finished(self.builder()?.with_client_auth_cert(chain, key)?))
    }

    /// TLS for a node without a certificate. Fails when no authority can be used, or TLS 1.3 is not supported.
    pub fn without_certificate(&self) -> Result<Arc<ClientConfig>, Error> {
        Ok(finished(self.builder()?.with_no_client_auth()))
    }

    fn builder(&self) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, Error> {
        let verifier = WebPkiServerVerifier::builder_with_provider(self.trusted.roots(), provider())
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        let builder = ClientConfig::builder_with_details(provider(), Arc::new(self.clock.clone()))
            .with_protocol_versions(&[&TLS13])?;
        let verifier = Arc::new(NotEarlier(verifier, self.clock.clone()));
        Ok(builder.dangerous().with_custom_certificate_verifier(verifier))
    }
}

fn finished(mut config: ClientConfig) -> Arc<ClientConfig> {
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

/// Treats the time as at least the start of the certificate's validity: a certificate with a valid signature proves
/// that this moment has passed, even if a clock without a battery is behind. All other checks are unchanged.
/// The certificate bounds what time the clock learns.
#[derive(Debug)]
struct NotEarlier(Arc<WebPkiServerVerifier>, Clock);

impl ServerCertVerifier for NotEarlier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let validity = Validity::of(end_entity);
        let made_ms = validity.map_or(0, |validity| validity.from_ms);
        let made = UnixTime::since_unix_epoch(Duration::from_millis(made_ms));
        let now = if now.as_secs() < made.as_secs() { made } else { now };
        let verified = self
            .0
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        if let Some(validity) = validity {
            self.1.bound(validity);
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
