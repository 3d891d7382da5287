use crate::{Digest, Result, Sha256, Tx, signed};

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
    pub async fn statements(&mut self) -> Result<Vec<Vec<u8>>> {
        let query = sqlx::query_scalar!("SELECT body FROM statements ORDER BY id");
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Stores a statement. False when it is already stored.
    pub async fn add_statement(&mut self, sha256: &Digest, body: &[u8]) -> Result<bool> {
        Ok(self
            .run(sqlx::query!(
                "INSERT INTO statements (sha256, body) VALUES (?, ?) ON CONFLICT (sha256) DO NOTHING",
                sha256.as_slice(),
                body
            ))
            .await?
            == 1)
    }

    /// What each node last reported, by node.
    pub async fn node_trust(&mut self) -> Result<Vec<NodeTrust>> {
        let query = sqlx::query!(
            r#"SELECT node, statements_sha256 as "statements_sha256: Sha256", authorities FROM node_trust ORDER BY node"#
        );
        let rows = query.fetch_all(&mut *self.tx).await?;
        let trust = rows.into_iter().map(|row| NodeTrust {
            node: row.node,
            statements_sha256: row.statements_sha256.0,
            // The schema refuses what is no multiple of 32 bytes.
            authorities: row.authorities.as_chunks().0.to_vec(),
        });
        Ok(trust.collect())
    }

    /// Stores what a node reported; replaces its earlier report.
    pub async fn set_node_trust(&mut self, trust: &NodeTrust) -> Result<()> {
        let (sha256, authorities) = (trust.statements_sha256.as_slice(), trust.authorities.concat());
        let query = sqlx::query!(
            "INSERT INTO node_trust (node, statements_sha256, authorities) VALUES (?, ?, ?)
             ON CONFLICT (node) DO UPDATE SET statements_sha256 = excluded.statements_sha256,
             authorities = excluded.authorities",
            trust.node,
            sha256,
            authorities
        );
        self.one("node's trust", query).await
    }

    /// All authorities, dropped ones too, oldest first.
    pub async fn authorities(&mut self) -> Result<Vec<Authority>> {
        let query = sqlx::query_as!(
            Authority,
            r#"SELECT sha256 as "sha256: Sha256", certificate, stage as "stage: Stage", since_ms as "since_ms: u64"
            FROM authorities ORDER BY rowid"#
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Adds an authority. Fails when its SHA-256 is already stored.
    pub async fn add_authority(&mut self, authority: &Authority) -> Result<()> {
        let query = sqlx::query!(
            "INSERT INTO authorities (sha256, certificate, stage, since_ms) VALUES (?, ?, ?, ?)",
            authority.sha256.as_slice(),
            authority.certificate,
            authority.stage,
            signed(authority.since_ms)
        );
        self.one("authority", query).await
    }

    /// Moves an authority to another stage.
    pub async fn set_stage(&mut self, sha256: &Digest, stage: Stage, now_ms: u64) -> Result<()> {
        let query = sqlx::query!(
            "UPDATE authorities SET stage = ?, since_ms = ? WHERE sha256 = ?",
            stage,
            signed(now_ms),
            sha256.as_slice()
        );
        self.one("authority", query).await
    }

    /// Node name and time (Unix milliseconds) of each node's newest certificate, by node.
    pub async fn last_certificates(&mut self) -> Result<Vec<(String, u64)>> {
        let rows = sqlx::query!(
            r#"SELECT node as "node!", max(issued_at_ms) as "issued_at_ms!: u64" FROM certificates GROUP BY node ORDER BY node"#
        )
        .fetch_all(&mut *self.tx)
        .await?;
        Ok(rows.into_iter().map(|row| (row.node, row.issued_at_ms)).collect())
    }
}
