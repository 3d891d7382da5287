use heeler_proto::NodeName;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, SanType};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::*;

const NOW: u64 = 1_800_000_000_000;

fn ca() -> (tempfile::TempDir, Ca) {
    let folder = tempfile::tempdir().unwrap();
    let ca = Ca::create(folder.path(), "k8sctl", NOW).unwrap();
    (folder, ca)
}

fn leaf(issued: &Issued) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(issued.chain.as_bytes()).unwrap()
}

fn request(key: &KeyPair, uri: &str) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::URI(uri.to_owned().try_into().unwrap())];
    params.serialize_request(key).unwrap().der().to_vec()
}

#[test]
fn the_name_in_a_certificate_is_ours_never_the_requests() {
    let (_folder, ca) = ca();
    let request = NodeRequest::parse(&request(&KeyPair::generate().unwrap(), "heeler:node:other")).unwrap();
    let issued = issue_node(&ca, &request, &NodeName::new("mine").unwrap(), NOW).unwrap();
    let peer = identify(&leaf(&issued)).unwrap();
    assert_eq!((peer.node.as_str(), peer.key_sha256), ("mine", request.key_sha256));
}

#[test]
fn a_node_certificate_is_backdated_and_holds_seven_days() {
    let (_folder, ca) = ca();
    let request = NodeRequest::parse(&request(&KeyPair::generate().unwrap(), "x:y")).unwrap();
    let issued = issue_node(&ca, &request, &NodeName::new("a").unwrap(), NOW).unwrap();
    let der = leaf(&issued);
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    let second = |ms: u64| i64::try_from(ms / 1000).unwrap();
    assert_eq!(
        certificate.validity().not_before.timestamp(),
        second(NOW - BACKDATED_MS)
    );
    assert_eq!(
        certificate.validity().not_after.timestamp(),
        second(NOW + NODE_LIFETIME_MS)
    );
    let usage = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.client_auth && usage.server_auth && !usage.any);
    assert!(!certificate.is_ca());
}

#[test]
fn no_node_is_taken_for_the_coordinator() {
    let (_folder, ca) = ca();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(ca.certificate().to_vec().into()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider);
    let verifier = verifier.build().unwrap();
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_millis(NOW));
    for name in ["a", "coordinator"] {
        let request = NodeRequest::parse(&request(&KeyPair::generate().unwrap(), "x:y")).unwrap();
        let issued = issue_node(&ca, &request, &NodeName::new(name).unwrap(), NOW).unwrap();
        let verified = verifier.verify_server_cert(&leaf(&issued), &[], &SERVER_NAME.try_into().unwrap(), &[], now);
        assert!(
            verified.unwrap_err().to_string().contains("not valid for name"),
            "{name}"
        );
    }
}

#[test]
fn a_badly_signed_request_is_refused() {
    let mut csr = request(&KeyPair::generate().unwrap(), "x:y");
    let last = csr.len() - 1;
    csr[last] ^= 1;
    assert_eq!(NodeRequest::parse(&csr).err(), Some(CsrError::Signature));
    assert_eq!(NodeRequest::parse(b"no request").err(), Some(CsrError::Signature));
}

#[test]
fn another_kind_of_key_is_refused() {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    assert_eq!(
        NodeRequest::parse(&request(&key, "x:y")).err(),
        Some(CsrError::Algorithm)
    );
}

#[test]
fn a_certificate_without_node_name_is_refused() {
    let (_folder, ca) = ca();
    assert_eq!(identify(ca.certificate()), Err(PeerError));
    assert_eq!(identify(b"nothing"), Err(PeerError));
    let named = |uris: &[&str]| {
        let mut params = CertificateParams::default();
        params.subject_alt_names = uris
            .iter()
            .map(|uri| SanType::URI((*uri).to_owned().try_into().unwrap()))
            .collect();
        params
            .self_signed(&KeyPair::generate().unwrap())
            .unwrap()
            .der()
            .to_vec()
    };
    assert_eq!(identify(&named(&["heeler:node:a", "heeler:node:b"])), Err(PeerError));
    assert_eq!(identify(&named(&["heeler:node:A.b"])), Err(PeerError));
    assert_eq!(identify(&named(&["https://heeler:node:a"])), Err(PeerError));
}

#[test]
fn the_server_certificate_always_holds_for_two_years_more() {
    let (folder, ca) = ca();
    let server = folder.path().join("server");
    let first = ServerIdentity::load_or_renew(&ca, &server, NOW).unwrap();
    let kept = ServerIdentity::load_or_renew(&ca, &server, NOW + 399 * DAY_MS).unwrap();
    assert_eq!(first.chain, kept.chain);
    let renewed = ServerIdentity::load_or_renew(&ca, &server, NOW + 401 * DAY_MS).unwrap();
    assert_ne!(first.chain, renewed.chain);
}

#[test]
fn an_operator_key_is_private_and_made_once() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("operators/me");
    let first = new_operator(&home).unwrap();
    assert_eq!(new_operator(&home).unwrap(), first);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&home), mode(&home.join("key.pem"))), (0o700, 0o600));
    assert_eq!(public_point(&first).unwrap().len(), 65);
    assert_eq!(public_point("no PEM"), None);
}
