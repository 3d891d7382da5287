use crate::error::one;
use crate::{Digest, StoreError, Tx, signed};

/// So many are on record for each node. One that waits for years shows its last one, or the one before when that was
/// lost on its way.
const KEPT: u32 = 16;

/// A certificate that was handed to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Hex.
    pub serial: String,
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub node: String,
    /// SHA-256 of its public key.
    pub key_sha256: Digest,
    /// When it was signed.
    pub issued_at_ms: u64,
    /// Not after.
    pub expires_at_ms: u64,
}

impl Tx {
    /// The node's oldest ones go. Fails when the serial is taken.
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
        one("new certificate", &result)?;
        sqlx::query!(
            "DELETE FROM certificates WHERE node = ?1 AND rowid NOT IN
             (SELECT rowid FROM certificates WHERE node = ?1 ORDER BY rowid DESC LIMIT ?2)",
            certificate.node,
            KEPT
        )
        .execute(&mut *self.tx)
        .await?;
        Ok(())
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
