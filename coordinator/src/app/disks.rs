use heeler_proto::v1;

use super::{App, AppError, decoded};

impl App {
    /// Every disk that was ever seen, on one node or on all (an empty name).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn disks(&self, node: &str) -> Result<Vec<v1::DiskRecord>, AppError> {
        let mut tx = self.store.read().await?;
        if !node.is_empty() && tx.node(node).await?.is_none() {
            return Err(AppError::NotFound(format!(
                "no node {node} is known. See them: heeler node list"
            )));
        }
        let legs = tx.legs().await?;
        let disks = tx.disks(Some(node).filter(|node| !node.is_empty())).await?;
        let record = |disk: heeler_store::Disk| {
            let leg = legs.iter().find(|leg| leg.serial == disk.serial);
            Ok(v1::DiskRecord {
                node: disk.node,
                disk: Some(decoded("a disk", &disk.disk)?),
                recorded_guid: leg.map(|leg| leg.guid.clone()).unwrap_or_default(),
                present: disk.present,
            })
        };
        disks.into_iter().map(record).collect()
    }
}
