use crate::error::one;
use crate::{Digest, StoreError, Tx, digest, signed};

/// What a node said last about whom it trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeTrust {
    /// Which one.
    pub node: String,
    /// Names the statements that it took.
    pub statements_sha256: Digest,
    /// SHA-256 of each authority's certificate.
    pub authorities: Vec<Digest>,
}

/// Where an authority is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "lowercase")]
pub enum Stage {
    /// Nobody was told.
    Made,
    /// Nodes learn to trust it.
    Next,
    /// It signs.
    Current,
    /// What it signed is still taken.
    Old,
    /// It is worth nothing any more.
    Dropped,
}

/// A certificate authority; its key lies in the state folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// Of its certificate.
    pub sha256: Digest,
    /// DER.
    pub certificate: Vec<u8>,
    /// Where it is in its life.
    pub stage: Stage,
    /// Since when.
    pub since_ms: u64,
}

impl Tx {
    /// What operators have signed, encoded, in the order in which it came.
    pub async fn statements(&mut self) -> Result<Vec<Vec<u8>>, StoreError> {
        let query = sqlx::query_scalar!("SELECT body FROM statements ORDER BY id");
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Keeps a statement; false when it is there already.
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

    /// What every node said last.
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

    /// A node says whom it trusts.
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

    /// Every authority there ever was, the oldest first.
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

    /// One that nobody has heard of.
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

    /// Moves one on.
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

    /// When each node's last certificate was signed, by node.
    pub async fn last_certificates(&mut self) -> Result<Vec<(String, u64)>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT node as "node!", max(issued_at_ms) as "issued_at_ms!: u64" FROM certificates GROUP BY node ORDER BY node"#
        )
        .fetch_all(&mut *self.tx)
        .await?;
        Ok(rows.into_iter().map(|row| (row.node, row.issued_at_ms)).collect())
    }
}
