use heeler_proto::NodeName;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::sha256;

const PREFIX: &str = "heeler:node:";

/// The node at the other end of a connection, from a certificate that TLS has verified.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Peer {
    /// From the URI subject alternative name.
    pub node: NodeName,
    /// SHA-256 of its key (SubjectPublicKeyInfo, DER).
    pub key_sha256: [u8; 32],
}

/// A verified certificate names no node, or no operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the certificate is not for a node or an operator")]
pub struct PeerError;

pub(super) fn node_uri(node: &NodeName) -> String {
    format!("{PREFIX}{node}")
}

/// Reads the node from a certificate (DER). Fails unless it has exactly one URI, which names a node.
pub fn identify(certificate: &[u8]) -> Result<Peer, PeerError> {
    let (uri, key_sha256) = only_uri(certificate)?;
    let node = uri
        .strip_prefix(PREFIX)
        .and_then(|name| NodeName::new(name).ok())
        .ok_or(PeerError)?;
    Ok(Peer { node, key_sha256 })
}

/// The only URI of a certificate, and the SHA-256 of its key.
pub(super) fn only_uri(certificate: &[u8]) -> Result<(String, [u8; 32]), PeerError> {
    let (_, certificate) = X509Certificate::from_der(certificate).map_err(|_| PeerError)?;
    let names = certificate
        .subject_alternative_name()
        .map_err(|_| PeerError)?
        .ok_or(PeerError)?;
    let [GeneralName::URI(uri)] = names.value.general_names.as_slice() else {
        return Err(PeerError);
    };
    Ok(((*uri).to_owned(), sha256(certificate.public_key().raw)))
}
