use std::path::Path;

use heeler_proto::OperatorName;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;

use super::node::issue;
use super::{Ca, DAY_MS, Issued, NodeRequest, PeerError, PkiError, could_not, files, pem, sha256};

/// The DER before the point in a P-256 SubjectPublicKeyInfo (RFC 5480): id-ecPublicKey with prime256v1, then a bit
/// string.
const HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Makes an operator's key and writes it to `folder` as key.pem (PKCS#8); keeps an existing one. Returns the public
/// key, PEM. Fails when it can be neither read nor written.
pub fn new_operator(folder: &Path) -> Result<String, PkiError> {
    let failed = could_not("make the operator's key");
    let path = folder.join("key.pem");
    if path.exists() {
        let key = KeyPair::from_pem(&files::read_text(&path)?).map_err(failed)?;
        return Ok(key.public_key_pem());
    }
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    files::make_folder(folder)?;
    files::write_secret(&path, &key.serialize_pem())?;
    Ok(key.public_key_pem())
}

/// The uncompressed point (65 bytes) of a P-256 public key (SubjectPublicKeyInfo, PEM); None for anything else.
pub fn public_point(pem: &str) -> Option<Vec<u8>> {
    let der = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).ok()?;
    let point = der.strip_prefix(HEAD.as_slice())?;
    (point.len() == 65 && point[0] == 4).then(|| point.to_vec())
}

/// A certificate signing request (DER) with the operator's key (PKCS#8, PEM). Fails when the key cannot be read.
pub fn operator_request(key_pem: &str, name: &str) -> Result<Vec<u8>, PkiError> {
    let failed = could_not("sign a request for a certificate");
    let key = KeyPair::from_pem(key_pem).map_err(failed)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params.serialize_request(&key).map_err(failed)?.der().to_vec())
}

/// Lifetime of an operator's certificate for remote access: 365 days.
const LIFETIME_MS: u64 = 365 * DAY_MS;
const PREFIX: &str = "heeler:operator:";

/// The operator at the other end of a connection, from a certificate that TLS has verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorPeer {
    /// From the URI subject alternative name.
    pub name: OperatorName,
    /// SHA-256 of the key (SubjectPublicKeyInfo, DER).
    pub key_sha256: [u8; 32],
}

/// Signs a certificate for remote access. The name comes from us, never from the request. Fails when signing fails.
pub fn issue_operator(ca: &Ca, request: &NodeRequest, name: &OperatorName, now_ms: u64) -> Result<Issued, PkiError> {
    let uri = format!("{PREFIX}{name}");
    issue(
        ca,
        request,
        (name.as_str(), &uri),
        (now_ms, LIFETIME_MS),
        &[ExtendedKeyUsagePurpose::ClientAuth],
    )
}

/// Reads the operator from a certificate (DER). Fails unless it has exactly one URI, which names an operator.
pub fn identify_operator(certificate: &[u8]) -> Result<OperatorPeer, PeerError> {
    let (uri, key_sha256) = super::peer::only_uri(certificate)?;
    let name = uri
        .strip_prefix(PREFIX)
        .and_then(|name| OperatorName::new(name).ok())
        .ok_or(PeerError)?;
    Ok(OperatorPeer { name, key_sha256 })
}

/// SHA-256 of a public key (SubjectPublicKeyInfo, given as PEM); None when it cannot be read.
pub fn key_sha256(pem: &str) -> Option<[u8; 32]> {
    Some(sha256(&SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).ok()?))
}

/// The PEM of a P-256 public key, from its uncompressed point.
pub fn public_pem(point: &[u8]) -> String {
    pem("PUBLIC KEY", &[HEAD.as_slice(), point].concat())
}
