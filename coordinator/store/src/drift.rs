use crate::error::one;
use crate::{StoreError, Tx, signed};

/// What the last look at the accepted revision found on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Node name: lower-case letters, digits and inner hyphens, at most 63.
    pub node: String,
    /// The revision that was looked at.
    pub revision: u64,
    /// Unix milliseconds.
    pub at_ms: u64,
    /// The look, encoded.
    pub shown: Vec<u8>,
}

impl Tx {
    /// When each node was looked at last for that revision, by node.
    pub async fn looked_at(&mut self, revision: u64) -> Result<Vec<(String, u64)>, StoreError> {
        let revision = signed(revision);
        let query = sqlx::query!(
            r#"SELECT node, at_ms as "at_ms: u64" FROM drifts WHERE revision = ? ORDER BY node"#,
            revision
        );
        let rows = query.fetch_all(&mut *self.tx).await?;
        Ok(rows.into_iter().map(|row| (row.node, row.at_ms)).collect())
    }

    /// The last looks at that revision, by node.
    pub async fn drifts(&mut self, revision: u64) -> Result<Vec<Drift>, StoreError> {
        let revision = signed(revision);
        let query = sqlx::query_as!(
            Drift,
            r#"SELECT node, revision as "revision: u64", at_ms as "at_ms: u64", shown FROM drifts WHERE revision = ?
            ORDER BY node"#,
            revision
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// The last look at a node.
    pub async fn drift(&mut self, node: &str) -> Result<Option<Drift>, StoreError> {
        let query = sqlx::query_as!(
            Drift,
            r#"SELECT node, revision as "revision: u64", at_ms as "at_ms: u64", shown FROM drifts WHERE node = ?"#,
            node
        );
        Ok(query.fetch_optional(&mut *self.tx).await?)
    }

    /// In place of an earlier look.
    pub async fn set_drift(&mut self, drift: &Drift) -> Result<(), StoreError> {
        let (revision, at) = (signed(drift.revision), signed(drift.at_ms));
        let result = sqlx::query!(
            "INSERT INTO drifts (node, revision, at_ms, shown) VALUES (?, ?, ?, ?) ON CONFLICT (node) DO UPDATE SET
             revision = excluded.revision, at_ms = excluded.at_ms, shown = excluded.shown",
            drift.node,
            revision,
            at,
            drift.shown
        )
        .execute(&mut *self.tx)
        .await?;
        one("look at a node", &result)
    }

    /// What was found is not true any more.
    pub async fn forget_drift(&mut self, node: &str) -> Result<(), StoreError> {
        sqlx::query!("DELETE FROM drifts WHERE node = ?", node)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }
}
