use crate::{Digest, Result, Tx, signed};

/// Certificates on record for each node. A node that was away for years shows its newest one, or the one before when
/// the newest did not reach it.
const KEPT: u32 = 16;

/// A certificate that the coordinator issued to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Serial number, in hex.
    pub serial: String,
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub node: String,
    /// SHA-256 of the node's public key (SubjectPublicKeyInfo, DER).
    pub key_sha256: Digest,
    /// When it was signed, Unix milliseconds.
    pub issued_at_ms: u64,
    /// End of its validity, Unix milliseconds.
    pub expires_at_ms: u64,
}

impl Tx {
    /// Stores a certificate and deletes the node's oldest ones beyond 16. Fails when the serial number is taken.
    pub async fn add_certificate(&mut self, certificate: &Certificate) -> Result<()> {
        let query = sqlx::query!(
            "INSERT INTO certificates (serial, node, key_sha256, issued_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?)",
            certificate.serial,
            certificate.node,
            certificate.key_sha256.as_slice(),
            signed(certificate.issued_at_ms),
            signed(certificate.expires_at_ms)
        );
        self.one("new certificate", query).await?;
        self.run(sqlx::query!(
            "DELETE FROM certificates WHERE node = ?1 AND rowid NOT IN
             (SELECT rowid FROM certificates WHERE node = ?1 ORDER BY rowid DESC LIMIT ?2)",
            certificate.node,
            KEPT
        ))
        .await
        .map(drop)
    }

    /// Whether the certificate with this serial number was issued to this node.
    pub async fn has_certificate(&mut self, serial: &str, node: &str) -> Result<bool> {
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
