use std::collections::HashMap;

use heeler_proto::v1;
use prost::Message as _;

use super::{App, Result, decoded, nodes, share};

impl App {
    /// Every disk on record, of one node or of all (an empty name). Disks beyond a node's share of the reply are left
    /// out, and the reply names that node. Fails when the node is not known, or the database cannot be read.
    pub async fn disks(&self, node: &str) -> Result<v1::ListDisksReply> {
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
        let share = share::of_list(used.len());
        let mut reply = v1::ListDisksReply::default();
        for disk in disks {
            let used = used.entry(disk.node.clone()).or_default();
            let mut seen: v1::Disk = decoded("a disk", &disk.disk)?;
            // The second half of the share lists further disks without their long texts.
            if used.saturating_add(disk.disk.len()) > share / 2 {
                (seen.finding, seen.by_id, seen.model) =
                    ("too long to be listed".to_owned(), String::new(), String::new());
            }
            let row = v1::DiskRecord {
                disk: Some(seen),
                recorded_guid: recorded.get(&disk.serial).cloned().unwrap_or_default(),
                present: disk.present,
                node: disk.node,
            };
            *used = used.saturating_add(row.encoded_len()).saturating_add(8);
            if *used <= share {
                reply.disks.push(row);
            } else if reply.more.last() != Some(&row.node) {
                reply.more.push(row.node);
            }
        }
        Ok(reply)
    }
}
