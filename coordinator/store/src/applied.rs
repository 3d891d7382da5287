use crate::{Digest, Result, Sha256, Tx};

/// What a node matched when its last task of this kind ended, or at the last look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The task's kind as lists show it: "ensure pool".
    pub kind: String,
    /// Digest of the wanted state that the node matched.
    pub sha256: Digest,
}

impl Tx {
    /// What the node matches, by kind.
    pub async fn applied(&mut self, node: &str) -> Result<Vec<Applied>> {
        let query = sqlx::query_as!(
            Applied,
            r#"SELECT kind, sha256 as "sha256: Sha256" FROM applied WHERE node = ? ORDER BY kind"#,
            node
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// What every node matches, as node name and [`Applied`], by node and kind.
    pub async fn all_applied(&mut self) -> Result<Vec<(String, Applied)>> {
        let query = sqlx::query!(r#"SELECT node, kind, sha256 as "sha256: Sha256" FROM applied ORDER BY node, kind"#);
        let rows = query.fetch_all(&mut *self.tx).await?;
        let applied = rows.into_iter().map(|row| {
            let (kind, sha256) = (row.kind, row.sha256.0);
            (row.node, Applied { kind, sha256 })
        });
        Ok(applied.collect())
    }

    /// Records what the node matches. `None` deletes the record: what it matches is not known.
    pub async fn set_applied(&mut self, node: &str, kind: &str, sha256: Option<&Digest>) -> Result<()> {
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

    /// Deletes everything recorded about what the node matches.
    pub async fn forget_applied(&mut self, node: &str) -> Result<()> {
        self.run(sqlx::query!("DELETE FROM applied WHERE node = ?", node))
            .await
            .map(drop)
    }
}
