use std::path::Path;

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;

use super::{PkiError, files};

/// An operator's key, written to `folder` as key.pem (PKCS#8), kept when it is there. Returns the public half, PEM.
///
/// # Errors
/// When it can be neither read nor written.
pub fn new_operator(folder: &Path) -> Result<String, PkiError> {
    let failed = |source| PkiError::Certificate {
        what: "make the operator's key",
        source,
    };
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
#[must_use]
pub fn public_point(pem: &str) -> Option<Vec<u8>> {
    // RFC 5480: id-ecPublicKey with prime256v1, then a bit string of an uncompressed point.
    const HEAD: [u8; 26] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
        0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];
    let der = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).ok()?;
    let point = der.strip_prefix(HEAD.as_slice())?;
    (point.len() == 65 && point[0] == 4).then(|| point.to_vec())
}
