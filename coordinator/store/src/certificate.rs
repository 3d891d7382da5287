use crate::error::one;
use crate::{Digest, StoreError, Tx, signed};

/// A certificate that was handed to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Hex.
    pub serial: String,
    /// Whose.
    pub node: String,
    /// SHA-256 of its public key.
    pub key_sha256: Digest,
    /// When it was signed.
    pub issued_at_ms: u64,
    /// Not after.
    pub expires_at_ms: u64,
}

impl Tx {
    /// Fails when the serial is taken.
    pub async fn add_certificate(&mut self, certificate: &Certificate) -> Result<(), StoreError> {
        let key = certificate.key_sha256.as_slice();
        let (issued, expires) = (signed(certificate.issued_at_ms), signed(certificate.expires_at_ms));
        let result = sqlx::query!(
            "INSERT INTO certificates (serial, node, key_sha256, issued_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?)",
            certificate.serial,
            certificate.node,
            key,
            issued,
            expires
        )
        .execute(&mut *self.tx)
        .await?;
        one("new certificate", &result)
    }

    /// Whether this very certificate was handed to this node.
    pub async fn has_certificate(&mut self, serial: &str, node: &str) -> Result<bool, StoreError> {
        let count = sqlx::query_scalar!(
            "SELECT count(*) FROM certificates WHERE serial = ? AND node = ?",
            serial,
            node
        )
        .fetch_one(&mut *self.tx)
        .await?;
        Ok(count == 1)
    }
}
