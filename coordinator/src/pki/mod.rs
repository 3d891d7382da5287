//! Keys and certificates, all ECDSA P-256. A private key is made where it is used and never sent.

mod authorities;
mod ca;
mod files;
mod node;
mod operator;
mod peer;
mod server;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{CertificateParams, SerialNumber};
use ring::rand::{SecureRandom, SystemRandom};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

pub use authorities::{Authorities, InForce};
pub use ca::{Ca, cluster_of};
pub use files::{make_folder, read_text, write_bytes, write_secret};
pub use heeler_proto::sha256;
pub use node::{CsrError, Issued, NodeRequest, issue_node};
pub use operator::{
    OperatorPeer, identify_operator, issue_operator, key_sha256, new_operator, operator_request, public_pem,
    public_point,
};
pub use peer::{Peer, PeerError, identify};
pub use server::{SERVER_NAME, ServerIdentity, new_server};

/// A certificate is valid from an hour before it is signed: a Pi's clock may be behind.
pub const BACKDATED_MS: u64 = HOUR_MS;
/// Lifetime of a node's certificate: 7 days.
pub const NODE_LIFETIME_MS: u64 = 7 * DAY_MS;
/// For this long after its certificate has expired, a node may enrol again with the same key: 400 days.
pub const REJOIN_MS: u64 = 400 * DAY_MS;

const HOUR_MS: u64 = 60 * 60 * 1000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// Why a key or certificate could not be made or read.
#[expect(missing_docs, reason = "the messages say it")]
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    #[error("could not {what} {}", path.display())]
    File {
        /// The attempt, as a verb: "read", "write", "make".
        what: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("could not {what}")]
    Certificate { what: &'static str, source: rcgen::Error },
    #[error("{} does not hold the key of the certificate authority that the database names", folder.display())]
    NoAuthority { folder: PathBuf },
    #[error("the system gives no randomness")]
    Random,
}

fn could_not(what: &'static str) -> impl Fn(rcgen::Error) -> PkiError + Copy {
    move |source| PkiError::Certificate { what, source }
}

/// Sets validity from `from_ms` to `to_ms` (Unix milliseconds), in whole seconds.
fn set_validity(params: &mut CertificateParams, from_ms: u64, to_ms: u64) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(from_ms / 1000);
    params.not_after = epoch + Duration::from_secs(to_ms / 1000);
}

/// 128 random bits, positive and not 0 (RFC 5280, 4.1.2.2).
fn serial_number() -> Result<SerialNumber, PkiError> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| PkiError::Random)?;
    bytes[0] = bytes[0] & 0x3f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

/// Encodes DER as PEM (RFC 7468).
pub fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let body: Vec<_> = lines.collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", body.join("\n"))
}

/// Every certificate in a PEM text, DER; None when it cannot be read or holds none.
pub fn certificates(pem: &str) -> Option<Vec<Vec<u8>>> {
    let all: Result<Vec<CertificateDer<'_>>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let all: Vec<Vec<u8>> = all.ok()?.iter().map(|der| der.to_vec()).collect();
    (!all.is_empty()).then_some(all)
}

/// End of a certificate's validity (DER), Unix milliseconds; 0 when it is not a certificate.
pub fn expires_ms(certificate: &[u8]) -> u64 {
    let certificate = X509Certificate::from_der(certificate).ok();
    let seconds = certificate.map_or(0, |(_, certificate)| certificate.validity().not_after.timestamp());
    u64::try_from(seconds).unwrap_or(0) * 1000
}
