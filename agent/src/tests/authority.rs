use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CertifiedIssuer, DnType, IsCa, KeyPair,
    PKCS_ECDSA_P256_SHA256, SanType, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A test's authority. Certificates are valid from 2020 to 2050 unless stated.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2050, 1, 1);
    params
}

impl Authority {
    pub fn new() -> Self {
        let mut params = params();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Heeler CA test");
        Self(CertifiedIssuer::self_signed(params, key()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    pub fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// The coordinator's certificate and key.
    pub fn server(&self) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let mut params = params();
        params.subject_alt_names = vec![SanType::DnsName("coordinator.heeler".try_into().unwrap())];
        let key = key();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let der = PrivatePkcs8KeyDer::from(key.serialize_der());
        (certificate.der().clone(), der.into())
    }

    /// A node's certificate, valid until 1 January of `year`.
    pub fn sign(&self, csr: &[u8], year: i32) -> String {
        let mut request = CertificateSigningRequestParams::from_der(&csr.to_vec().into()).unwrap();
        request.params.not_before = date_time_ymd(2020, 1, 1);
        request.params.not_after = date_time_ymd(year, 1, 1);
        request.signed_by(&self.0).unwrap().pem()
    }
}
