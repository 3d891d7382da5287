use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};

use super::{Allowed, TlsError};
use crate::pki::{Authorities, InForce};

/// Verifies client certificates with the authorities in force at each handshake.
pub(super) struct Clients {
    authorities: Arc<Authorities>,
    provider: Arc<CryptoProvider>,
    allowed: Allowed,
    // Rebuilt after the authorities have changed.
    current: Mutex<Made>,
}

type Made = (Arc<InForce>, Arc<dyn ClientCertVerifier>);

impl Clients {
    pub(super) fn new(
        authorities: Arc<Authorities>,
        provider: Arc<CryptoProvider>,
        allowed: Allowed,
    ) -> Result<Self, TlsError> {
        let current = Mutex::new(make(authorities.now(), &provider)?);
        Ok(Self {
            authorities,
            provider,
            allowed,
            current,
        })
    }

    fn now(&self) -> Result<Arc<dyn ClientCertVerifier>, Error> {
        let now = self.authorities.now();
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&current.0, &now) {
            *current = make(now, &self.provider).map_err(|error| Error::General(error.to_string()))?;
        }
        Ok(current.1.clone())
    }
}

fn make(now: Arc<InForce>, provider: &Arc<CryptoProvider>) -> Result<Made, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in &now.taken {
        roots.add(authority.clone())?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build()?;
    Ok((now, verifier))
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clients")
    }
}

impl ClientCertVerifier for Clients {
    /// No hints: every client has only one certificate.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.now()?.verify_client_cert(end_entity, intermediates, now)?;
        match self.allowed.know(Some(end_entity)) {
            Ok(_) => Ok(verified),
            Err(_) => Err(Error::InvalidCertificate(CertificateError::Revoked)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.now()?.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.now()?.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
