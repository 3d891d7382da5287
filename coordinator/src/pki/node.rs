use heeler_proto::NodeName;
use rcgen::{
    CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKey, PublicKeyData as _, SanType,
};

use super::{BACKDATED_MS, Ca, NODE_LIFETIME_MS, PkiError, could_not, serial_number, set_validity, sha256};

/// The content of a certificate signing request: proof that the node has the key. Everything else in it is ignored.
pub struct NodeRequest {
    key: PublicKey,
    /// SHA-256 of the key (SubjectPublicKeyInfo, DER).
    pub key_sha256: [u8; 32],
    /// The name that it asks for; not verified.
    pub common_name: String,
}

/// Why a certificate signing request is refused.
#[expect(missing_docs, reason = "the messages say it")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CsrError {
    #[error("the certificate signing request is not signed by the key that it names")]
    Signature,
    #[error("the key is not ECDSA P-256")]
    Algorithm,
}

impl NodeRequest {
    /// Parses a certificate signing request (DER) and checks its signature. Fails when it is not signed by its own
    /// P-256 key.
    pub fn parse(csr: &[u8]) -> Result<Self, CsrError> {
        let csr = CertificateSigningRequestParams::from_der(&csr.into()).map_err(|_| CsrError::Signature)?;
        if csr.public_key.algorithm() != &PKCS_ECDSA_P256_SHA256 {
            return Err(CsrError::Algorithm);
        }
        let key_sha256 = sha256(&csr.public_key.subject_public_key_info());
        let common_name = match csr.params.distinguished_name.get(&DnType::CommonName) {
            Some(DnValue::Utf8String(name)) => name.clone(),
            Some(DnValue::PrintableString(name)) => name.as_str().to_owned(),
            _ => String::new(),
        };
        Ok(Self {
            key: csr.public_key,
            key_sha256,
            common_name,
        })
    }

    /// The uncompressed point of its key (65 bytes).
    pub fn point(&self) -> Vec<u8> {
        self.key.der_bytes().to_vec()
    }
}

/// A new certificate.
pub struct Issued {
    /// PEM, leaf first.
    pub chain: String,
    /// Serial number, in hex.
    pub serial: String,
    /// End of its validity, Unix milliseconds.
    pub expires_at_ms: u64,
}

/// Signs a certificate for `node`. The name comes from us, never from the request. Other nodes may be served with it:
/// they know it by its URI. It has no DNS name, so nobody takes it for the coordinator's. Fails when signing fails.
pub fn issue_node(ca: &Ca, request: &NodeRequest, node: &NodeName, now_ms: u64) -> Result<Issued, PkiError> {
    issue(
        ca,
        request,
        (node.as_str(), &super::peer::node_uri(node)),
        (now_ms, NODE_LIFETIME_MS),
        &[ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth],
    )
}

/// Signs a certificate for `usages` whose only name is `uri`.
pub(super) fn issue(
    ca: &Ca,
    request: &NodeRequest,
    (common_name, uri): (&str, &str),
    (now_ms, lifetime_ms): (u64, u64),
    usages: &[ExtendedKeyUsagePurpose],
) -> Result<Issued, PkiError> {
    let failed = could_not("sign a certificate");
    let expires_at_ms = now_ms + lifetime_ms;
    let serial = serial_number()?;
    let mut params = CertificateParams::default();
    set_validity(&mut params, now_ms.saturating_sub(BACKDATED_MS), expires_at_ms);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let uri = uri.to_owned().try_into().map_err(failed)?;
    params.subject_alt_names = vec![SanType::URI(uri)];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = usages.to_vec();
    params.use_authority_key_identifier_extension = true;
    params.serial_number = Some(serial.clone());
    let certificate = params.signed_by(&request.key, &ca.issuer).map_err(failed)?;
    let serial = heeler_proto::hex(&serial.to_bytes());
    Ok(Issued {
        chain: certificate.pem(),
        serial,
        expires_at_ms,
    })
}
