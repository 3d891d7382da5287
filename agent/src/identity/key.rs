use ring::error::Unspecified;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::config::P256_SPKI_PREFIX;

/// A P-256 key pair.
pub struct Key {
    pair: EcdsaKeyPair,
    /// The private key as PKCS #8.
    pkcs8: PrivatePkcs8KeyDer<'static>,
}

impl Key {
    /// A new key. Fails when the system gives no randomness.
    pub fn generate() -> Result<Self, Unspecified> {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new())?;
        Self::from_der(made.as_ref().to_vec().into()).ok_or(Unspecified)
    }

    /// From PKCS #8 in PEM; None when it is not a P-256 key.
    pub fn from_pem(pem: &[u8]) -> Option<Self> {
        Self::from_der(PrivatePkcs8KeyDer::from_pem_slice(pem).ok()?)
    }

    fn from_der(pkcs8: PrivatePkcs8KeyDer<'static>) -> Option<Self> {
        let (algorithm, der) = (&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.secret_pkcs8_der());
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, der, &SystemRandom::new()).ok()?;
        Some(Self { pair, pkcs8 })
    }

    /// The private key as PKCS #8 in PEM.
    pub fn pem(&self) -> String {
        pem("PRIVATE KEY", self.pkcs8.secret_pkcs8_der())
    }

    /// The private key as PKCS #8 in DER.
    pub fn der(&self) -> PrivateKeyDer<'static> {
        self.pkcs8.clone_key().into()
    }

    /// The public key as SubjectPublicKeyInfo (RFC 5480) in DER.
    pub fn public(&self) -> Vec<u8> {
        [&P256_SPKI_PREFIX, self.pair.public_key().as_ref()].concat()
    }

    /// The public key as SubjectPublicKeyInfo in PEM.
    pub fn public_pem(&self) -> String {
        pem("PUBLIC KEY", &self.public())
    }

    /// An ECDSA signature with SHA-256, in DER. Fails when the system gives no randomness.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        Ok(self.pair.sign(&SystemRandom::new(), message)?.as_ref().to_vec())
    }
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// PEM (RFC 7468).
fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----");
    for (index, three) in der.chunks(3).enumerate() {
        if index % 16 == 0 {
            text.push('\n');
        }
        let bits = (0..3).fold(0, |bits, at| {
            bits << 8 | three.get(at).map_or(0, |byte| usize::from(*byte))
        });
        for at in 0..4 {
            let sign = BASE64[bits >> (18 - 6 * at) & 63];
            text.push(if at > three.len() { '=' } else { char::from(sign) });
        }
    }
    text + &format!("\n-----END {label}-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_from_its_own_pem() {
        let key = Key::generate().unwrap();
        let again = Key::from_pem(key.pem().as_bytes()).unwrap();
        assert_eq!(again.der(), key.der());
        // Another PEM library reads the same key, and keys of earlier versions can still be read.
        let other = rcgen::KeyPair::from_pem(&key.pem()).unwrap();
        assert_eq!(other.serialize_pem(), key.pem());
        assert_eq!(other.public_key_pem(), key.public_pem());
    }

    #[test]
    fn pem_of_every_length_decodes_to_the_same_bytes() {
        for length in 0..100_u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(37)).collect();
            let text = pem("CERTIFICATE", &bytes);
            let read = rustls::pki_types::CertificateDer::from_pem_slice(text.as_bytes()).unwrap();
            assert_eq!(read.as_ref(), bytes, "{text}");
        }
    }

    #[test]
    fn a_key_of_another_kind_is_refused() {
        let other = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        assert!(Key::from_pem(other.serialize_pem().as_bytes()).is_none());
        assert!(Key::from_pem(b"").is_none());
    }
}
