use heeler_proto::{EnsurePool, HostId, LiveSerial, PoolGuid, PoolSpec, Serial};
use heeler_store::{Leg, Node, Tx};

use super::super::{Result, hex, node_name};
use super::{AppError, Asked, Source};
use crate::pki::sha256;

/// Most characters that ZFS stores in a pool's comment (zpoolprops(7)).
const COMMENT: usize = 32;

/// The comment that marks a pool as ours: `heeler:<cluster>/<node>`. A long cluster name is cut. When that is not
/// enough, the end of the node's name is replaced by a digest, so that no two nodes share a comment.
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

impl Asked for EnsurePool {
    /// None when heeler.toml gives the node no disks.
    fn from(source: &Source<'_>) -> Option<Self> {
        let (wanted, record) = (source.wanted, source.record);
        if wanted.disks.is_empty() {
            return None;
        }
        let legs = record.live.iter().filter(|leg| Some(leg.guid) == record.guid);
        let pool = PoolSpec {
            name: wanted.pool.clone(),
            serials: wanted.disks.clone(),
            datasets: wanted.datasets.clone(),
            arc_max_bytes: wanted.arc_max_bytes,
            hostid: record.hostid,
            recorded_guid: record.guid,
            recorded_serials: legs.map(|leg| leg.serial.clone()).collect(),
            comment: record.comment.clone(),
        };
        Some(Self {
            pool,
            live: record.live.clone(),
            unread: Vec::new(),
        })
    }

    fn asked(mut self) -> Option<Self> {
        let Record {
            live,
            guid,
            hostid,
            comment,
        } = Record::default();
        self.live = live;
        self.unread = Vec::new();
        self.pool.recorded_guid = guid;
        self.pool.recorded_serials = Vec::new();
        self.pool.hostid = hostid;
        self.pool.comment = comment;
        self.pool.serials.sort();
        Some(self)
    }
}

/// What is on record about a node's pool and the fleet's disks.
pub(super) struct Record {
    /// Disks that a task on the node must not touch.
    live: Vec<LiveSerial>,
    guid: Option<PoolGuid>,
    hostid: HostId,
    comment: String,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            live: Vec::new(),
            guid: None,
            hostid: HostId(1),
            comment: String::new(),
        }
    }
}

impl Record {
    pub(super) async fn of(tx: &mut Tx, cluster: &str, node: &Node) -> Result<Self> {
        let pools = tx.pools_of(&node.name).await?;
        let ours = pools.iter().find(|pool| pool.ours);
        let guid = ours.map(|pool| PoolGuid::parse(&pool.guid)).transpose();
        Ok(Self {
            live: live_serials(&tx.legs().await?, &node.name)?,
            guid: guid.map_err(|_| AppError::Stored {
                what: "the disk ledger",
            })?,
            hostid: HostId::parse(&node.hostid).map_err(|_| AppError::Stored {
                what: "a node's hostid",
            })?,
            comment: pool_comment(cluster, &node.name),
        })
    }
}

/// Disks that a task on `node` must not touch. Leaves out pools on this node that are not ours: the agent itself sees
/// whether they are still there.
pub(in super::super) fn live_serials(legs: &[Leg], node: &str) -> Result<Vec<LiveSerial>> {
    let stored = |_| AppError::Stored {
        what: "the disk ledger",
    };
    let live = |leg: &Leg| -> Result<LiveSerial> {
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
