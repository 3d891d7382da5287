use crate::{Digest, StoreError, Tx, digest};

/// What a node was found to match last, of one kind of task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Of the task: "ensure pool".
    pub kind: String,
    /// Digest of what was wanted then.
    pub sha256: Digest,
}

impl Tx {
    /// All that a node matches.
    pub async fn applied(&mut self, node: &str) -> Result<Vec<Applied>, StoreError> {
        let rows = sqlx::query!("SELECT kind, sha256 FROM applied WHERE node = ? ORDER BY kind", node)
            .fetch_all(&mut *self.tx)
            .await?;
        let applied = rows.into_iter().map(|row| {
            Ok(Applied {
                kind: row.kind,
                sha256: digest("applied.sha256", row.sha256)?,
            })
        });
        applied.collect()
    }

    /// What every node matches, with the node's name.
    pub async fn all_applied(&mut self) -> Result<Vec<(String, Applied)>, StoreError> {
        let rows = sqlx::query!("SELECT node, kind, sha256 FROM applied ORDER BY node, kind")
            .fetch_all(&mut *self.tx)
            .await?;
        let applied = rows.into_iter().map(|row| {
            let applied = Applied {
                kind: row.kind,
                sha256: digest("applied.sha256", row.sha256)?,
            };
            Ok((row.node, applied))
        });
        applied.collect()
    }

    /// The node matches what is wanted, or, with None, nobody knows.
    pub async fn set_applied(&mut self, node: &str, kind: &str, sha256: Option<&Digest>) -> Result<(), StoreError> {
        match sha256.map(<[u8; 32]>::as_slice) {
            Some(sha256) => {
                sqlx::query!(
                    "INSERT INTO applied (node, kind, sha256) VALUES (?, ?, ?)
                     ON CONFLICT (node, kind) DO UPDATE SET sha256 = excluded.sha256",
                    node,
                    kind,
                    sha256
                )
                .execute(&mut *self.tx)
                .await?
            }
            None => {
                sqlx::query!("DELETE FROM applied WHERE node = ? AND kind = ?", node, kind)
                    .execute(&mut *self.tx)
                    .await?
            }
        };
        Ok(())
    }

    /// Nobody knows what the node matches.
    pub async fn forget_applied(&mut self, node: &str) -> Result<(), StoreError> {
        sqlx::query!("DELETE FROM applied WHERE node = ?", node)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }
}
