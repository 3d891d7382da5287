use std::collections::HashMap;

use heeler_proto::v1;

use super::{App, AppError, decoded, nodes, share};

impl App {
    /// Every disk that was ever seen, on one node or on all (an empty name).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn disks(&self, node: &str) -> Result<Vec<v1::DiskRecord>, AppError> {
        let mut tx = self.store.read().await?;
        if !node.is_empty() {
            nodes::known(&mut tx, node).await?;
        }
        let legs = tx.legs().await?;
        let disks = tx.disks(Some(node).filter(|node| !node.is_empty())).await?;
        let recorded: HashMap<_, _> = legs.into_iter().map(|leg| (leg.serial, leg.guid)).collect();
        let mut used: HashMap<String, usize> = HashMap::new();
        for disk in &disks {
            used.entry(disk.node.clone()).or_default();
        }
        let share = share::share(used.len());
        let record = |disk: heeler_store::Disk| {
            let used = used.entry(disk.node.clone()).or_default();
            *used = used.saturating_add(disk.disk.len());
            let mut seen: v1::Disk = decoded("a disk", &disk.disk)?;
            if *used > share {
                (seen.finding, seen.by_id, seen.model) =
                    ("too long to be listed".to_owned(), String::new(), String::new());
            }
            Ok(v1::DiskRecord {
                node: disk.node,
                disk: Some(seen),
                recorded_guid: recorded.get(&disk.serial).cloned().unwrap_or_default(),
                present: disk.present,
            })
        };
        disks.into_iter().map(record).collect()
    }
}
