use std::path::Path;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{BACKDATED_MS, Ca, DAY_MS, PkiError, could_not, files, serial_number, set_validity};

/// The name that agents expect in the certificate, whatever address they dial: the key is the identity, not the
/// address.
pub const SERVER_NAME: &str = "coordinator.heeler";

/// The server's key is beside the authority's, so a short lifetime would protect nothing. A long one admits a node
/// whose clock is two years ahead.
const LIFETIME_MS: u64 = 1_200 * DAY_MS;
/// With less left, the certificate is replaced, so that it always holds for two more years.
const RENEWED_WITH_LEFT_MS: u64 = 800 * DAY_MS;

/// The server's key and certificate.
pub struct ServerIdentity {
    /// Certificates, leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// Private key.
    pub key: PrivateKeyDer<'static>,
}

/// Makes a key and certificate and writes them to `folder` as key.pem and certificate.pem. Fails when a file cannot be
/// written.
pub fn new_server(ca: &Ca, folder: &Path, now_ms: u64) -> Result<(), PkiError> {
    let failed = could_not("make the coordinator's certificate");
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    let mut params = CertificateParams::new([SERVER_NAME.to_owned()]).map_err(failed)?;
    set_validity(&mut params, now_ms.saturating_sub(BACKDATED_MS), now_ms + LIFETIME_MS);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, SERVER_NAME);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.serial_number = Some(serial_number()?);
    let certificate = params.signed_by(&key, &ca.issuer).map_err(failed)?;
    files::make_folder(folder)?;
    files::write_secret(&folder.join("key.pem"), &key.serialize_pem())?;
    files::write_secret(&folder.join("certificate.pem"), &certificate.pem())
}

impl ServerIdentity {
    /// Reads the identity. Makes a new one when it is missing or invalid, is from another authority, or has less than
    /// 800 days left. Fails when it can be neither read nor made.
    pub fn load_or_renew(ca: &Ca, folder: &Path, now_ms: u64) -> Result<Self, PkiError> {
        match Self::load(folder).filter(|(identity, _)| identity.chain.iter().all(|leaf| ca.signed(leaf))) {
            Some((identity, expires_at_ms)) if expires_at_ms > now_ms + RENEWED_WITH_LEFT_MS => Ok(identity),
            _ => {
                new_server(ca, folder, now_ms)?;
                Self::load(folder)
                    .map(|(identity, _)| identity)
                    .ok_or(could_not("read the coordinator's certificate")(
                        rcgen::Error::CouldNotParseCertificate,
                    ))
            }
        }
    }

    fn load(folder: &Path) -> Option<(Self, u64)> {
        let key = files::read_text(&folder.join("key.pem")).ok()?;
        let pem = files::read_text(&folder.join("certificate.pem")).ok()?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).ok()?;
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
        let expires = X509Certificate::from_der(&certificate)
            .ok()?
            .1
            .validity()
            .not_after
            .timestamp();
        let expires_at_ms = u64::try_from(expires).ok()? * 1000;
        Some((
            Self {
                chain: vec![certificate],
                key,
            },
            expires_at_ms,
        ))
    }
}
