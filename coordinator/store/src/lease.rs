use crate::{Result, Tx, signed};

/// The permission to disturb the cluster. One operation holds it, until the nodes that it disturbed are healthy again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Number of the grant, from 1; it only grows.
    pub generation: u64,
    /// The operation that holds it.
    pub operation: u64,
    /// What the holder does with it, for a person.
    pub reason: String,
    /// When it was granted, Unix milliseconds.
    pub granted_at_ms: u64,
    /// When the work last showed that it is alive, Unix milliseconds.
    pub renewed_at_ms: u64,
    /// For how long after that the holder is not late.
    pub ttl_ms: u64,
}

impl Lease {
    /// Whether the holder has shown no life for too long. A late holder still holds the lease: only the state of its
    /// machines says whether it is gone, or a person.
    pub fn is_late(&self, now_ms: u64) -> bool {
        // `abs_diff`: a renewal in the future, stored before the clock went back, shows no life either.
        now_ms.abs_diff(self.renewed_at_ms) >= self.ttl_ms
    }
}

impl Tx {
    /// The lease, when an operation holds it.
    pub async fn lease(&mut self) -> Result<Option<Lease>> {
        let query = sqlx::query_as!(
            Lease,
            r#"SELECT generation as "generation: u64", operation as "operation: u64", reason,
            granted_at_ms as "granted_at_ms: u64", renewed_at_ms as "renewed_at_ms: u64", ttl_ms as "ttl_ms: u64"
            FROM lease WHERE freed_at_ms IS NULL"#
        );
        Ok(query.fetch_optional(&mut *self.tx).await?)
    }

    /// Grants the lease to an open operation and returns its generation; None when another one holds it, however
    /// late that is. The work begins in the same transaction.
    pub async fn grant_lease(&mut self, operation: u64, reason: &str, ttl_ms: u64, now_ms: u64) -> Result<Option<u64>> {
        if self.lease().await?.is_some() {
            return Ok(None);
        }
        let query = sqlx::query!(
            "INSERT INTO lease (operation, reason, granted_at_ms, renewed_at_ms, ttl_ms)
             SELECT id, ?, ?, ?, ? FROM operations WHERE id = ? AND state = 'open'",
            reason,
            signed(now_ms),
            signed(now_ms),
            signed(ttl_ms),
            signed(operation)
        );
        self.insert("lease of an open operation", query).await.map(Some)
    }

    /// Records that the holder is alive. Fails when that grant was freed.
    pub async fn renew_lease(&mut self, generation: u64, now_ms: u64) -> Result<()> {
        let query = sqlx::query!(
            "UPDATE lease SET renewed_at_ms = ? WHERE generation = ? AND freed_at_ms IS NULL",
            signed(now_ms),
            signed(generation)
        );
        self.one("held lease", query).await
    }

    /// Frees the lease: what it was granted for is healthy again, or a person says so. Fails when that grant was
    /// freed before.
    pub async fn free_lease(&mut self, generation: u64, now_ms: u64) -> Result<()> {
        let query = sqlx::query!(
            "UPDATE lease SET freed_at_ms = ? WHERE generation = ? AND freed_at_ms IS NULL",
            signed(now_ms),
            signed(generation)
        );
        self.one("held lease", query).await
    }
}
