use crate::{Result, Tx, signed};

/// A pool on record, with the node that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// ZFS pool guid, in decimal.
    pub guid: String,
    /// Pool name in ZFS, at most 64 characters.
    pub name: String,
    /// Node that the pool is on record for.
    pub node: String,
    /// True: created or adopted by Heeler, and kept on record. False: another pool, on record only while it is
    /// imported.
    pub ours: bool,
    /// When a node reported it last, Unix milliseconds.
    pub seen_at_ms: u64,
}

/// A disk that is on record as a leg of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// Serial number of the disk.
    pub serial: String,
    /// Guid of the pool, in decimal.
    pub guid: String,
    /// Node that the pool is on record for.
    pub node: String,
    /// As [`Pool::ours`].
    pub ours: bool,
}

impl Tx {
    /// The pool with that guid.
    pub async fn pool(&mut self, guid: &str) -> Result<Option<Pool>> {
        let query = sqlx::query_as!(
            Pool,
            r#"SELECT guid, name, node, ours as "ours: bool", seen_at_ms as "seen_at_ms: u64" FROM pools
            WHERE guid = ?"#,
            guid
        );
        Ok(query.fetch_optional(&mut *self.tx).await?)
    }

    /// The pools on record for a node, seen last first.
    pub async fn pools_of(&mut self, node: &str) -> Result<Vec<Pool>> {
        let query = sqlx::query_as!(
            Pool,
            r#"SELECT guid, name, node, ours as "ours: bool", seen_at_ms as "seen_at_ms: u64" FROM pools
            WHERE node = ? ORDER BY seen_at_ms DESC, guid"#,
            node
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// All pools on record, seen last first.
    pub async fn pools(&mut self) -> Result<Vec<Pool>> {
        let query = sqlx::query_as!(
            Pool,
            r#"SELECT guid, name, node, ours as "ours: bool", seen_at_ms as "seen_at_ms: u64" FROM pools
            ORDER BY seen_at_ms DESC, guid"#
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// All legs on record, by serial.
    pub async fn legs(&mut self) -> Result<Vec<Leg>> {
        let query = sqlx::query_as!(
            Leg,
            r#"SELECT legs.serial, legs.guid, pools.node, pools.ours as "ours: bool"
            FROM legs JOIN pools ON pools.guid = legs.guid ORDER BY legs.serial"#
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// Records a pool and its legs. A pool that is ours stays ours, and stays with the node that it was first
    /// recorded for.
    pub async fn record_pool(&mut self, pool: &Pool, serials: &[String]) -> Result<()> {
        let query = sqlx::query!(
            "INSERT INTO pools (guid, name, node, ours, seen_at_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT (guid) DO UPDATE
             SET name = excluded.name, ours = max(ours, excluded.ours), seen_at_ms = excluded.seen_at_ms",
            pool.guid,
            pool.name,
            pool.node,
            pool.ours,
            signed(pool.seen_at_ms)
        );
        self.one("pool", query).await?;
        for serial in serials {
            // A leg of a pool of ours keeps its record, even when another pool reports a disk with the same serial.
            self.run(sqlx::query!(
                "INSERT INTO legs (serial, guid) VALUES (?, ?) ON CONFLICT (serial) DO UPDATE SET guid = excluded.guid
                 WHERE NOT EXISTS (SELECT 1 FROM pools WHERE pools.guid = legs.guid AND pools.ours)",
                serial,
                pool.guid
            ))
            .await?;
        }
        Ok(())
    }

    /// Records which vdev of the pool the disk is, and clears that vdev from other disks. Does nothing when the disk
    /// is not on record as a leg of the pool.
    pub async fn note_vdev(&mut self, guid: &str, serial: &str, vdev_guid: &str) -> Result<()> {
        self.run(sqlx::query!(
            "UPDATE legs SET vdev_guid = '' WHERE guid = ?1 AND vdev_guid = ?3 AND serial <> ?2
             AND EXISTS (SELECT 1 FROM legs WHERE guid = ?1 AND serial = ?2)",
            guid,
            serial,
            vdev_guid
        ))
        .await?;
        self.run(sqlx::query!(
            "UPDATE legs SET vdev_guid = ? WHERE guid = ? AND serial = ? AND vdev_guid <> ?",
            vdev_guid,
            guid,
            serial,
            vdev_guid
        ))
        .await
        .map(drop)
    }

    /// Serial and vdev guid of each leg of a pool, where the vdev is known; by serial.
    pub async fn vdevs(&mut self, guid: &str) -> Result<Vec<(String, String)>> {
        let query = sqlx::query!(
            "SELECT serial, vdev_guid FROM legs WHERE guid = ? AND vdev_guid <> '' ORDER BY serial",
            guid
        );
        let rows = query.fetch_all(&mut *self.tx).await?;
        Ok(rows.into_iter().map(|row| (row.serial, row.vdev_guid)).collect())
    }

    /// Deletes the pool's legs that are not in `serials`, and returns the deleted serials. Only for a pool that was
    /// seen whole: it has no other legs.
    pub async fn keep_legs(&mut self, guid: &str, serials: &[String]) -> Result<Vec<String>> {
        let query = sqlx::query_scalar!("SELECT serial FROM legs WHERE guid = ? ORDER BY serial", guid);
        let mut gone = query.fetch_all(&mut *self.tx).await?;
        gone.retain(|known| !serials.contains(known));
        for serial in &gone {
            self.run(sqlx::query!(
                "DELETE FROM legs WHERE serial = ? AND guid = ?",
                serial,
                guid
            ))
            .await?;
        }
        Ok(gone)
    }

    /// Deletes a pool that is not ours, with its legs. Fails for a pool of ours.
    pub async fn forget_pool(&mut self, guid: &str) -> Result<()> {
        self.run(sqlx::query!(
            "DELETE FROM legs WHERE guid = (SELECT guid FROM pools WHERE guid = ? AND ours = 0)",
            guid
        ))
        .await?;
        let query = sqlx::query!("DELETE FROM pools WHERE guid = ? AND ours = 0", guid);
        self.one("pool to forget", query).await
    }
}
