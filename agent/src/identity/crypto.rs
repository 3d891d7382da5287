use std::sync::Arc;

use ring::rand::{SecureRandom as _, SystemRandom};
use rustls::SignatureScheme;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::crypto::ring::kx_group::SECP256R1;
use rustls::crypto::ring::sign::any_ecdsa_type;
use rustls::crypto::{CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, WebPkiSupportedAlgorithms};
use rustls::pki_types::{PrivateKeyDer, SignatureVerificationAlgorithm};
use rustls::sign::SigningKey;
use webpki::ring::ECDSA_P256_SHA256;

static ALL: &[&dyn SignatureVerificationAlgorithm] = &[ECDSA_P256_SHA256];
static MAPPING: &[(SignatureScheme, &[&dyn SignatureVerificationAlgorithm])] =
    &[(SignatureScheme::ECDSA_NISTP256_SHA256, ALL)];

/// The cryptography of Heeler's connections: P-256 only, with the mandatory algorithms of TLS 1.3 (RFC 8446, section
/// 9.1). That keeps the agent small and leaves less to attack.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: vec![TLS13_AES_128_GCM_SHA256],
        kx_groups: vec![SECP256R1],
        signature_verification_algorithms: WebPkiSupportedAlgorithms {
            all: ALL,
            mapping: MAPPING,
        },
        secure_random: &Ring,
        key_provider: &Ring,
    })
}

#[derive(Debug)]
struct Ring;

impl SecureRandom for Ring {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        SystemRandom::new().fill(bytes).map_err(|_| GetRandomFailed)
    }
}

impl KeyProvider for Ring {
    fn load_private_key(&self, key: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        any_ecdsa_type(&key)
    }
}
