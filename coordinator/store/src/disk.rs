use crate::{Result, Tx, signed};

/// A disk that a node has reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// Serial number as the drive reports it, at most 64 characters; it identifies the disk.
    pub serial: String,
    /// Name of the node that reported it last.
    pub node: String,
    /// The encoded `v1::Disk` of that report.
    pub disk: Vec<u8>,
    /// False when a later look of the node did not find it.
    pub present: bool,
    /// When it was reported last, Unix milliseconds.
    pub seen_at_ms: u64,
}

/// Disks on record for each node, besides legs of pools: more than a machine has, and a bound for a node that lies.
const KEPT: u32 = 256;

impl Tx {
    /// The disks of one node, or of all (None), by node and serial.
    pub async fn disks(&mut self, node: Option<&str>) -> Result<Vec<Disk>> {
        let query = sqlx::query_as!(
            Disk,
            r#"SELECT serial, node, disk, present as "present: bool", seen_at_ms as "seen_at_ms: u64" FROM disks
            WHERE ?1 IS NULL OR node = ?1 ORDER BY node, serial"#,
            node
        );
        Ok(query.fetch_all(&mut *self.tx).await?)
    }

    /// The disk with that serial, on any node.
    pub async fn disk(&mut self, serial: &str) -> Result<Option<Disk>> {
        let query = sqlx::query_as!(
            Disk,
            r#"SELECT serial, node, disk, present as "present: bool", seen_at_ms as "seen_at_ms: u64" FROM disks
            WHERE serial = ?"#,
            serial
        );
        Ok(query.fetch_optional(&mut *self.tx).await?)
    }

    /// Records the disks that `node` sees now, as serial and encoded disk, and marks its other disks as absent.
    /// Beyond 256 disks, the absent disks that were seen longest ago are deleted.
    pub async fn see_disks(&mut self, node: &str, disks: &[(String, Vec<u8>)], now_ms: u64) -> Result<()> {
        self.run(sqlx::query!("UPDATE disks SET present = 0 WHERE node = ?", node))
            .await?;
        for (serial, disk) in disks.iter().take(KEPT as usize) {
            let query = sqlx::query!(
                "INSERT INTO disks (serial, node, disk, present, seen_at_ms) VALUES (?, ?, ?, 1, ?) ON CONFLICT (serial)
                 DO UPDATE SET node = excluded.node, disk = excluded.disk, present = 1, seen_at_ms = excluded.seen_at_ms",
                serial,
                node,
                disk,
                signed(now_ms)
            );
            self.one("disk", query).await?;
        }
        self.run(sqlx::query!(
            "DELETE FROM disks WHERE node = ?1 AND present = 0 AND serial NOT IN (SELECT serial FROM legs) AND serial NOT IN
             (SELECT serial FROM disks WHERE node = ?1 ORDER BY present DESC, seen_at_ms DESC, serial LIMIT ?2)",
            node,
            KEPT
        )).await.map(drop)
    }
}
