use crate::error::one;
use crate::{StoreError, Tx, signed};

/// A pool on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Decimal.
    pub guid: String,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub node: String,
    /// Made or adopted by Heeler: kept on record. Else somebody else's: on record while it is imported.
    pub ours: bool,
    /// Unix milliseconds.
    pub seen_at_ms: u64,
}

/// A serial on record as holding a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// The disk.
    pub serial: String,
    /// The pool.
    pub guid: String,
    /// Whose pool it is.
    pub node: String,
    /// The pool was made by Heeler; another is on record only while it is imported.
    pub ours: bool,
}

impl Tx {
    /// The pool of that guid.
    pub async fn pool(&mut self, guid: &str) -> Result<Option<Pool>, StoreError> {
        let query = sqlx::query_as!(
            Pool,
            r#"SELECT guid, name, node, ours as "ours: bool", seen_at_ms as "seen_at_ms: u64" FROM pools
            WHERE guid = ?"#,
            guid
        );
        Ok(query.fetch_optional(&mut *self.tx).await?)
    }

    /// A node's pools on record, the newest first.
    pub async fn pools_of(&mut self, node: &str) -> Result<Vec<Pool>, StoreError> {
        let query = sqlx::query_as!(
            Pool,
            r#"SELECT guid, name, node, ours as "ours: bool", seen_at_ms as "seen_at_ms: u64" FROM pools
            WHERE node = ? ORDER BY seen_at_ms DESC, guid"#,
            node
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Every node's, the newest first.
    pub async fn pools(&mut self) -> Result<Vec<Pool>, StoreError> {
        let query = sqlx::query_as!(
            Pool,
            r#"SELECT guid, name, node, ours as "ours: bool", seen_at_ms as "seen_at_ms: u64" FROM pools
            ORDER BY seen_at_ms DESC, guid"#
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Every serial on record as holding a pool, by serial.
    pub async fn legs(&mut self) -> Result<Vec<Leg>, StoreError> {
        let query = sqlx::query_as!(
            Leg,
            r#"SELECT legs.serial, legs.guid, pools.node, pools.ours as "ours: bool"
            FROM legs JOIN pools ON pools.guid = legs.guid ORDER BY legs.serial"#
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Puts a pool on record with its legs. What is ours once stays ours, and stays its first node's.
    pub async fn record_pool(&mut self, pool: &Pool, serials: &[String]) -> Result<(), StoreError> {
        let seen = signed(pool.seen_at_ms);
        let result = sqlx::query!(
            "INSERT INTO pools (guid, name, node, ours, seen_at_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT (guid) DO UPDATE
             SET name = excluded.name, ours = max(ours, excluded.ours), seen_at_ms = excluded.seen_at_ms",
            pool.guid,
            pool.name,
            pool.node,
            pool.ours,
            seen
        )
        .execute(&mut *self.tx)
        .await?;
        one("pool", &result)?;
        for serial in serials {
            // A leg of a pool of ours stays on record as such, whoever reports a disk of that serial.
            sqlx::query!(
                "INSERT INTO legs (serial, guid) VALUES (?, ?) ON CONFLICT (serial) DO UPDATE SET guid = excluded.guid
                 WHERE NOT EXISTS (SELECT 1 FROM pools WHERE pools.guid = legs.guid AND pools.ours)",
                serial,
                pool.guid
            )
            .execute(&mut *self.tx)
            .await?;
        }
        Ok(())
    }

    /// Notes which vdev of the pool the disk is, and that no other disk is it any more; nothing when the disk is not on record
    /// as a leg of it.
    pub async fn note_vdev(&mut self, guid: &str, serial: &str, vdev_guid: &str) -> Result<(), StoreError> {
        sqlx::query!(
            "UPDATE legs SET vdev_guid = '' WHERE guid = ?1 AND vdev_guid = ?3 AND serial <> ?2
             AND EXISTS (SELECT 1 FROM legs WHERE guid = ?1 AND serial = ?2)",
            guid,
            serial,
            vdev_guid
        )
        .execute(&mut *self.tx)
        .await?;
        sqlx::query!(
            "UPDATE legs SET vdev_guid = ? WHERE guid = ? AND serial = ? AND vdev_guid <> ?",
            vdev_guid,
            guid,
            serial,
            vdev_guid
        )
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// Serial and vdev guid of each leg of a pool, as far as its vdev is known.
    pub async fn vdevs(&mut self, guid: &str) -> Result<Vec<(String, String)>, StoreError> {
        let query = sqlx::query!(
            "SELECT serial, vdev_guid FROM legs WHERE guid = ? AND vdev_guid <> '' ORDER BY serial",
            guid
        );
        let rows = query.fetch_all(&mut *self.tx).await?;
        Ok(rows.into_iter().map(|row| (row.serial, row.vdev_guid)).collect())
    }

    /// Takes every leg but these off a pool's record: it was seen whole, and has no others. They are what went.
    pub async fn keep_legs(&mut self, guid: &str, serials: &[String]) -> Result<Vec<String>, StoreError> {
        let query = sqlx::query_scalar!("SELECT serial FROM legs WHERE guid = ? ORDER BY serial", guid);
        let mut gone = query.fetch_all(&mut *self.tx).await?;
        gone.retain(|known| !serials.contains(known));
        for serial in &gone {
            sqlx::query!("DELETE FROM legs WHERE serial = ? AND guid = ?", serial, guid)
                .execute(&mut *self.tx)
                .await?;
        }
        Ok(gone)
    }

    /// Somebody else's pool is gone from its node, and off the record. Ours never goes.
    pub async fn forget_pool(&mut self, guid: &str) -> Result<(), StoreError> {
        sqlx::query!(
            "DELETE FROM legs WHERE guid = (SELECT guid FROM pools WHERE guid = ? AND ours = 0)",
            guid
        )
        .execute(&mut *self.tx)
        .await?;
        let result = sqlx::query!("DELETE FROM pools WHERE guid = ? AND ours = 0", guid)
            .execute(&mut *self.tx)
            .await?;
        one("pool to forget", &result)
    }
}
