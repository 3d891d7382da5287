use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{BACKDATED_MS, DAY_MS, PkiError, could_not, files, serial_number, set_validity, sha256};

/// Start of an authority's common name; the cluster's name follows.
const PREFIX: &str = "Heeler CA ";

/// Lifetime of an authority's certificate: ten years.
const LIFETIME_MS: u64 = 10 * 365 * DAY_MS;

/// The cluster's certificate authority. Its key never leaves the state folder.
pub struct Ca {
    pub(super) issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
}

impl Ca {
    /// Makes an authority and writes it to `folder` as key.pem and certificate.pem. Fails when a file cannot be
    /// written.
    pub fn create(folder: &Path, cluster: &str, now_ms: u64) -> Result<Self, PkiError> {
        let failed = could_not("make the certificate authority");
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let mut params = CertificateParams::default();
        set_validity(&mut params, now_ms.saturating_sub(BACKDATED_MS), now_ms + LIFETIME_MS);
        params.serial_number = Some(serial_number()?);
        params
            .distinguished_name
            .push(DnType::CommonName, format!("{PREFIX}{cluster}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(failed)?;
        files::make_folder(folder)?;
        files::write_secret(&folder.join("key.pem"), &key.serialize_pem())?;
        files::write_secret(&folder.join("certificate.pem"), &certificate.pem())?;
        Self::load(folder)
    }

    /// Reads what [`Self::create`] wrote. Fails when a file cannot be read, or holds no key or certificate.
    pub fn load(folder: &Path) -> Result<Self, PkiError> {
        let key = KeyPair::from_pem(&files::read_text(&folder.join("key.pem"))?)
            .map_err(could_not("read the certificate authority's key"))?;
        let pem = files::read_text(&folder.join("certificate.pem"))?;
        let failed = could_not("read the certificate authority's certificate");
        let der = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| failed(rcgen::Error::CouldNotParseCertificate))?;
        let issuer = Issuer::from_ca_cert_der(&der, key).map_err(failed)?;
        Ok(Self { issuer, pem, der })
    }

    /// SHA-256 of its certificate (DER).
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&self.der)
    }

    /// Whether the certificate names this authority's key as its issuer (authority key identifier, RFC 5280,
    /// 4.2.1.1). Does not check the signature.
    pub fn signed(&self, certificate: &[u8]) -> bool {
        let own = key_identifier(&self.der, |extension| match extension {
            ParsedExtension::SubjectKeyIdentifier(own) => Some(own.0.to_vec()),
            _ => None,
        });
        let named = key_identifier(certificate, |extension| match extension {
            ParsedExtension::AuthorityKeyIdentifier(named) => {
                named.key_identifier.as_ref().map(|named| named.0.to_vec())
            }
            _ => None,
        });
        own.is_some() && own == named
    }

    /// Its certificate, PEM, for nodes to trust.
    pub fn certificate_pem(&self) -> &str {
        &self.pem
    }

    /// Its certificate, DER.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.der
    }
}

/// The cluster name in an authority's certificate (DER). None when the certificate is not a CA or not one of ours.
pub fn cluster_of(certificate: &[u8]) -> Option<String> {
    RootCertStore::empty()
        .add(CertificateDer::from_slice(certificate))
        .ok()?;
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let mut names = certificate.subject().iter_common_name();
    let name = names.next()?.as_str().ok()?;
    name.strip_prefix(PREFIX).map(str::to_owned)
}

fn key_identifier(certificate: &[u8], read: impl Fn(&ParsedExtension<'_>) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let mut extensions = certificate.extensions().iter();
    extensions.find_map(|extension| read(extension.parsed_extension()))
}
