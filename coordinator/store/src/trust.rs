use crate::error::one;
use crate::{Digest, StoreError, Tx, digest, signed};

/// What a node last reported about the keys it trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeTrust {
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub node: String,
    /// SHA-256 over the ids of the statements that it accepted.
    pub statements_sha256: Digest,
    /// SHA-256 of the certificate of each authority that it trusts.
    pub authorities: Vec<Digest>,
}

/// Where an authority is in its life. The stages follow in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "lowercase")]
pub enum Stage {
    /// Its key exists; no node knows of it.
    Made,
    /// Nodes receive the statement to trust it.
    Next,
    /// It signs new certificates. At most one authority has this stage.
    Current,
    /// It signs no more; certificates that it signed are still accepted.
    Old,
    /// Certificates that it signed are refused.
    Dropped,
}

/// A certificate authority. Its private key is in the state folder, not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// SHA-256 of its certificate.
    pub sha256: Digest,
    /// The certificate, DER.
    pub certificate: Vec<u8>,
    /// Where it is in its life.
    pub stage: Stage,
    /// When it entered this stage, Unix milliseconds.
    pub since_ms: u64,
}

impl Tx {
    /// Encoded `v1::Statement`s that operators signed, in order of arrival.
    pub async fn statements(&mut self) -> Result<Vec<Vec<u8>>, StoreError> {
        let query = sqlx::query_scalar!("SELECT body FROM statements ORDER BY id");
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Stores a statement. False when it is already stored.
    pub async fn add_statement(&mut self, sha256: &Digest, body: &[u8]) -> Result<bool, StoreError> {
        let sha256 = sha256.as_slice();
        let result = sqlx::query!(
            "INSERT INTO statements (sha256, body) VALUES (?, ?) ON CONFLICT (sha256) DO NOTHING",
            sha256,
            body
        )
        .execute(&mut *self.tx)
        .await?;
        Ok(result.rows_affected() == 1)
    }

    /// What each node last reported, by node.
    pub async fn node_trust(&mut self) -> Result<Vec<NodeTrust>, StoreError> {
        let rows = sqlx::query!("SELECT node, statements_sha256, authorities FROM node_trust ORDER BY node")
            .fetch_all(&mut *self.tx)
            .await?;
        let read = |bytes: Vec<u8>| -> Result<Vec<Digest>, StoreError> {
            let parts = bytes
                .chunks(32)
                .map(|part| digest("node_trust.authorities", part.to_vec()));
            parts.collect()
        };
        rows.into_iter()
            .map(|row| {
                Ok(NodeTrust {
                    node: row.node,
                    statements_sha256: digest("node_trust.statements_sha256", row.statements_sha256)?,
                    authorities: read(row.authorities)?,
                })
            })
            .collect()
    }

    /// Stores what a node reported; replaces its earlier report.
    pub async fn set_node_trust(&mut self, trust: &NodeTrust) -> Result<(), StoreError> {
        let (sha256, authorities) = (trust.statements_sha256.as_slice(), trust.authorities.concat());
        let result = sqlx::query!(
            "INSERT INTO node_trust (node, statements_sha256, authorities) VALUES (?, ?, ?)
             ON CONFLICT (node) DO UPDATE SET statements_sha256 = excluded.statements_sha256,
             authorities = excluded.authorities",
            trust.node,
            sha256,
            authorities
        )
        .execute(&mut *self.tx)
        .await?;
        one("node's trust", &result)
    }

    /// All authorities, dropped ones too, oldest first.
    pub async fn authorities(&mut self) -> Result<Vec<Authority>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT sha256, certificate, stage as "stage: Stage", since_ms as "since_ms: u64"
            FROM authorities ORDER BY rowid"#
        )
        .fetch_all(&mut *self.tx)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(Authority {
                    sha256: digest("authorities.sha256", row.sha256)?,
                    certificate: row.certificate,
                    stage: row.stage,
                    since_ms: row.since_ms,
                })
            })
            .collect()
    }

    /// Adds an authority. Fails when its SHA-256 is already stored.
    pub async fn add_authority(&mut self, authority: &Authority) -> Result<(), StoreError> {
        let (sha256, since_ms) = (authority.sha256.as_slice(), signed(authority.since_ms));
        let result = sqlx::query!(
            "INSERT INTO authorities (sha256, certificate, stage, since_ms) VALUES (?, ?, ?, ?)",
            sha256,
            authority.certificate,
            authority.stage,
            since_ms
        )
        .execute(&mut *self.tx)
        .await?;
        one("authority", &result)
    }

    /// Moves an authority to another stage.
    pub async fn set_stage(&mut self, sha256: &Digest, stage: Stage, now_ms: u64) -> Result<(), StoreError> {
        let (sha256, now_ms) = (sha256.as_slice(), signed(now_ms));
        let result = sqlx::query!(
            "UPDATE authorities SET stage = ?, since_ms = ? WHERE sha256 = ?",
            stage,
            now_ms,
            sha256
        )
        .execute(&mut *self.tx)
        .await?;
        one("authority", &result)
    }

    /// Node name and time (Unix milliseconds) of each node's newest certificate, by node.
    pub async fn last_certificates(&mut self) -> Result<Vec<(String, u64)>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT node as "node!", max(issued_at_ms) as "issued_at_ms!: u64" FROM certificates GROUP BY node ORDER BY node"#
        )
        .fetch_all(&mut *self.tx)
        .await?;
        Ok(rows.into_iter().map(|row| (row.node, row.issued_at_ms)).collect())
    }
}
