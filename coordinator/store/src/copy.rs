use crate::{Digest, Result, Sha256, Tx, signed};

/// An encrypted copy of the coordinator's state that a node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// Name of the node that holds it.
    pub node: String,
    /// File name on the node: `coordinator-MILLISECONDS.age`.
    pub name: String,
    /// Time of the state that it holds, Unix milliseconds.
    pub at_ms: u64,
    /// Size of the file, in bytes.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: Digest,
}

impl Tx {
    /// The copy that each node stored last, by node. By order of storing and not by `at_ms`: a clock can have been
    /// wrong.
    pub async fn newest_copies(&mut self) -> Result<Vec<Copy>> {
        let query = sqlx::query_as!(
            Copy,
            r#"SELECT node, name, at_ms as "at_ms: u64", bytes as "bytes: u64", sha256 as "sha256: Sha256"
            FROM copies AS one WHERE rowid = (SELECT max(rowid) FROM copies WHERE node = one.node) ORDER BY node"#
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Records a copy on a node, and deletes the records of all but the node's newest `kept`.
    pub async fn add_copy(&mut self, copy: &Copy, kept: u32) -> Result<()> {
        let query = sqlx::query!(
            "INSERT INTO copies (node, name, at_ms, bytes, sha256) VALUES (?, ?, ?, ?, ?) ON CONFLICT (node, name)
             DO UPDATE SET at_ms = excluded.at_ms, bytes = excluded.bytes, sha256 = excluded.sha256",
            copy.node,
            copy.name,
            signed(copy.at_ms),
            signed(copy.bytes),
            copy.sha256.as_slice()
        );
        self.one("copy", query).await?;
        self.run(sqlx::query!(
            "DELETE FROM copies WHERE node = ?1 AND name NOT IN
             (SELECT name FROM copies WHERE node = ?1 ORDER BY rowid DESC LIMIT ?2)",
            copy.node,
            kept
        ))
        .await
        .map(drop)
    }
}
