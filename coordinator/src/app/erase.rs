use heeler_proto::{EraseDisk, Serial, Task, v1};
use heeler_store::Plan;

use super::plan::Look;
use super::{App, AppError, Result, hex, node_name, pause, random_bits, spec};
use crate::known::{short, unknown};

impl App {
    /// Plans the erasure of a disk on the node that has it. Changes nothing. Fails when no node has the disk, it is
    /// absent now, or it is on record as a leg of a pool.
    pub async fn plan_erase(&self, serial: &str) -> Result<v1::PlanReply> {
        let mut tx = self.store.read().await?;
        let Some(disk) = tx.disk(serial).await? else {
            let all = tx.disks(None).await?;
            let what = format!("no node has a disk with the serial {}", short(serial));
            let serials = all.iter().map(|disk| disk.serial.as_str());
            return Err(unknown(what, serial, serials, "heeler disk list").into());
        };
        let serial = Serial::new(serial)?;
        let live = spec::live_serials(&tx.legs().await?, &disk.node)?;
        if let Some(leg) = live.iter().find(|leg| leg.serial == serial) {
            let pool = tx.pool(&leg.guid.to_string()).await?;
            let pool = pool.map_or_else(|| leg.guid.to_string(), |pool| pool.name);
            return Err(AppError::Refused(format!(
                "{serial} is on record as a disk of pool {pool} of {}: such a disk is never erased",
                leg.node
            )));
        }
        if !disk.present {
            return Err(AppError::Refused(format!(
                "{serial} was in {} and is not there now. Look again: heeler node discover {}",
                disk.node, disk.node
            )));
        }
        let node = tx.node(&disk.node).await?;
        let pause = pause::of(&mut tx, &disk.node, self.now_ms()).await?;
        drop(tx);
        let name = node_name(&disk.node)?;
        let tasks = vec![Task::EraseDisk(EraseDisk { serial, live })];
        let plan = Plan {
            id: hex(&random_bits()?.to_be_bytes()),
            text: None,
            git_commit: String::new(),
            dirty_lines: 0,
            parent: 0,
            created_at_ms: self.now_ms(),
            reply: None,
        };
        self.look_and_keep(
            plan,
            vec![Look {
                config_changed: true,
                unmanaged: None,
                node,
                name,
                line: 0,
                pause,
                tasks,
            }],
        )
        .await
    }
}
