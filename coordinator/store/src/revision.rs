use crate::{Digest, Result, Sha256, Tx, signed};

/// An accepted heeler.toml. It never changes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Number of the revision, from 1.
    pub number: u64,
    /// The whole heeler.toml.
    pub text: String,
    /// SHA-256 of the text.
    pub sha256: Digest,
    /// Short commit hash of the checkout; empty when heeler.toml was in no git commit.
    pub git_commit: String,
    /// Uncommitted lines of heeler.toml then: lines added or lines deleted, whichever is more.
    pub dirty_lines: u32,
    /// Number of the revision that it is based on; 0: none.
    pub parent: u64,
    /// When it was accepted, Unix milliseconds.
    pub accepted_at_ms: u64,
    /// Operator name, as in the audit log.
    pub operator: String,
}

impl Tx {
    /// The newest revision; None before the first apply.
    pub async fn accepted(&mut self) -> Result<Option<Revision>> {
        let query = sqlx::query_as!(
            Revision,
            r#"SELECT number as "number: u64", text, sha256 as "sha256: Sha256", git_commit,
            dirty_lines as "dirty_lines: u32", parent as "parent: u64", accepted_at_ms as "accepted_at_ms: u64", operator
            FROM revisions ORDER BY number DESC LIMIT 1"#
        );
        Ok(query.fetch_optional(&mut *self.tx).await?)
    }

    /// Number of the newest revision; 0 before the first apply.
    pub async fn accepted_number(&mut self) -> Result<u64> {
        let query = sqlx::query_scalar!(r#"SELECT coalesce(max(number), 0) as "number!: u64" FROM revisions"#);
        Ok(query.fetch_one(&mut *self.tx).await?)
    }

    /// Fails when the number is taken.
    pub async fn add_revision(&mut self, revision: &Revision) -> Result<()> {
        let query = sqlx::query!(
            "INSERT INTO revisions (number, text, sha256, git_commit, dirty_lines, parent, accepted_at_ms, operator)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            signed(revision.number),
            revision.text,
            revision.sha256.as_slice(),
            revision.git_commit,
            revision.dirty_lines,
            signed(revision.parent),
            signed(revision.accepted_at_ms),
            revision.operator
        );
        self.one("new revision", query).await
    }
}
