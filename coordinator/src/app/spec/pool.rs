use std::fmt::Write as _;

use heeler_proto::{Dataset, EnsurePool, HostId, LiveSerial, PoolGuid, PoolName, PoolSpec, Serial, Task};
use heeler_store::{Digest, Leg, Node, Tx};

use super::super::{hex, node_name};
use super::AppError;
use crate::config::WantedNode;
use crate::pki::sha256;

/// Most characters that ZFS stores in a pool's comment (zpoolprops(7)).
const COMMENT: usize = 32;

/// The comment that marks a pool as ours: `heeler:<cluster>/<node>`. A long cluster name is cut. When that is not
/// enough, the end of the node's name is replaced by a digest, so that no two nodes share a comment.
#[must_use]
pub fn pool_comment(cluster: &str, node: &str) -> String {
    let room = COMMENT.saturating_sub("heeler:/".len() + node.len());
    let cluster: String = cluster.chars().filter(char::is_ascii_graphic).take(room).collect();
    let comment = format!("heeler:{cluster}/{node}");
    if comment.len() <= COMMENT {
        return comment;
    }
    let digest = hex(&sha256(node.as_bytes())[..4]);
    let head: String = comment.chars().take(COMMENT - 1 - digest.len()).collect();
    format!("{head}~{digest}")
}

/// The task that creates or imports the node's pool; None when heeler.toml gives the node no disks.
pub(super) async fn task(
    tx: &mut Tx,
    cluster: &str,
    node: &Node,
    wanted: &WantedNode,
) -> Result<Option<Task>, AppError> {
    if wanted.disks.is_empty() {
        return Ok(None);
    }
    let stored = |_| AppError::Stored {
        what: "the disk ledger",
    };
    let live = live_serials(&tx.legs().await?, &node.name)?;
    let pools = tx.pools_of(&node.name).await?;
    let recorded = pools.iter().find(|pool| pool.ours);
    let recorded = recorded
        .map(|pool| PoolGuid::parse(&pool.guid))
        .transpose()
        .map_err(stored)?;
    let legs = live
        .iter()
        .filter(|leg| Some(leg.guid) == recorded)
        .map(|leg| leg.serial.clone())
        .collect();
    let pool = PoolSpec {
        name: wanted.pool.clone(),
        serials: wanted.disks.clone(),
        datasets: wanted.datasets.clone(),
        arc_max_bytes: wanted.arc_max_bytes,
        hostid: HostId::parse(&node.hostid).map_err(|_| AppError::Stored {
            what: "a node's hostid",
        })?,
        recorded_guid: recorded,
        recorded_serials: legs,
        comment: pool_comment(cluster, &node.name),
    };
    Ok(Some(Task::EnsurePool(EnsurePool {
        pool,
        live,
        unread: Vec::new(),
    })))
}

/// Disks that a task on `node` must not touch. Leaves out pools on this node that are not ours: the agent itself sees
/// whether they are still there.
pub(in super::super) fn live_serials(legs: &[Leg], node: &str) -> Result<Vec<LiveSerial>, AppError> {
    let stored = |_| AppError::Stored {
        what: "the disk ledger",
    };
    let live = |leg: &Leg| -> Result<LiveSerial, AppError> {
        let (serial, guid) = (
            Serial::new(&leg.serial).map_err(stored)?,
            PoolGuid::parse(&leg.guid).map_err(stored)?,
        );
        Ok(LiveSerial {
            serial,
            guid,
            node: node_name(&leg.node)?,
        })
    };
    let legs = legs.iter().filter(|leg| leg.ours || leg.node != node);
    legs.map(live).collect()
}

/// Kind and digest of the task that [`task`] gives.
pub(super) fn wanted_digest(wanted: &WantedNode) -> Option<(&'static str, Digest)> {
    let WantedNode {
        pool,
        disks,
        datasets,
        arc_max_bytes,
        ..
    } = wanted;
    (!disks.is_empty()).then(|| ("ensure pool", digest(pool, disks, datasets, *arc_max_bytes)))
}

/// Digest of what a given task wants.
pub(super) fn digest_of(pool: &PoolSpec) -> Digest {
    digest(&pool.name, &pool.serials, &pool.datasets, pool.arc_max_bytes)
}

fn digest(name: &PoolName, serials: &[Serial], datasets: &[Dataset], arc_max_bytes: Option<u64>) -> Digest {
    let mut serials: Vec<_> = serials.iter().map(Serial::as_str).collect();
    serials.sort_unstable();
    let mut text = format!("pool {name:?}\narc {arc_max_bytes:?}\ndisks {serials:?}\n");
    for dataset in datasets {
        let _ = writeln!(text, "dataset {:?} {:?}", dataset.name, dataset.mountpoint.to_string());
    }
    sha256(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_comment_fits_zfs() {
        assert_eq!(pool_comment("k8sctl", "k8sctl-pi5l"), "heeler:k8sctl/k8sctl-pi5l");
        assert_eq!(
            pool_comment("a-very-long-cluster-name", "k8sctl-pi5l"),
            "heeler:a-very-long-c/k8sctl-pi5l"
        );
        let long = |last: &str| pool_comment("c", &format!("{}{last}", "n".repeat(62)));
        assert_eq!(long("a").len(), 32);
        assert_ne!(long("a"), long("b"));
    }
}
