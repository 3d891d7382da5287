use crate::{Result, Tx, signed};

/// The last look that compared a node with the accepted revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub node: String,
    /// Number of the revision that the node was compared with.
    pub revision: u64,
    /// When the look ended, Unix milliseconds.
    pub at_ms: u64,
    /// The encoded `v1::Drift`.
    pub shown: Vec<u8>,
}

impl Tx {
    /// Node name and time (Unix milliseconds) of each node's last look at that revision, by node.
    pub async fn looked_at(&mut self, revision: u64) -> Result<Vec<(String, u64)>> {
        let query = sqlx::query!(
            r#"SELECT node, at_ms as "at_ms: u64" FROM drifts WHERE revision = ? ORDER BY node"#,
            signed(revision)
        );
        let rows = query.fetch_all(&mut *self.tx).await?;
        Ok(rows.into_iter().map(|row| (row.node, row.at_ms)).collect())
    }

    /// The last look at each node, where it was a look at that revision; by node.
    pub async fn drifts(&mut self, revision: u64) -> Result<Vec<Drift>> {
        let query = sqlx::query_as!(
            Drift,
            r#"SELECT node, revision as "revision: u64", at_ms as "at_ms: u64", shown FROM drifts WHERE revision = ?
            ORDER BY node"#,
            signed(revision)
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// The last look at a node, at any revision.
    pub async fn drift(&mut self, node: &str) -> Result<Option<Drift>> {
        let query = sqlx::query_as!(
            Drift,
            r#"SELECT node, revision as "revision: u64", at_ms as "at_ms: u64", shown FROM drifts WHERE node = ?"#,
            node
        );
        Ok(query.fetch_optional(&mut *self.tx).await?)
    }

    /// Stores a look; it replaces the node's earlier one.
    pub async fn set_drift(&mut self, drift: &Drift) -> Result<()> {
        let query = sqlx::query!(
            "INSERT INTO drifts (node, revision, at_ms, shown) VALUES (?, ?, ?, ?) ON CONFLICT (node) DO UPDATE SET
             revision = excluded.revision, at_ms = excluded.at_ms, shown = excluded.shown",
            drift.node,
            signed(drift.revision),
            signed(drift.at_ms),
            drift.shown
        );
        self.one("look at a node", query).await
    }

    /// Deletes the node's look, because the node has changed since.
    pub async fn forget_drift(&mut self, node: &str) -> Result<()> {
        self.run(sqlx::query!("DELETE FROM drifts WHERE node = ?", node))
            .await
            .map(drop)
    }
}
