use heeler_proto::v1;
use heeler_store::{Node, Pool, Tx};

use super::super::Result;
use super::BACKPLANE;
use crate::config::WantedNode;

/// What the node has and `wanted` no longer asks for; None when there is nothing. `accepted`: the node in the accepted
/// revision.
pub(in super::super) async fn unmanaged(
    tx: &mut Tx,
    node: &Node,
    wanted: &WantedNode,
    accepted: Option<&WantedNode>,
) -> Result<Option<v1::Unmanaged>> {
    let (pools, applied) = (tx.pools_of(&node.name).await?, tx.applied(&node.name).await?);
    let mut found = v1::Unmanaged {
        backplane: wanted.backplane.is_none() && applied.iter().any(|one| one.kind == BACKPLANE),
        ..v1::Unmanaged::default()
    };
    if let Some(pool) = unmanaged_pool(&pools, wanted) {
        let legs = tx.legs().await?.into_iter().filter(|leg| leg.guid == pool.guid);
        (found.pool, found.serials) = (pool.name.clone(), legs.map(|leg| leg.serial).collect());
    } else if let Some(accepted) = accepted.filter(|accepted| !accepted.disks.is_empty()) {
        let kept = |name: &str| wanted.datasets.iter().any(|one| one.name == name);
        let dropped = accepted.datasets.iter().filter(|one| !kept(&one.name));
        found.datasets = dropped.map(|one| one.name.clone()).collect();
    }
    Ok(Some(found).filter(|found| *found != v1::Unmanaged::default()))
}

/// The node's pool on record, when `wanted` names no disks.
pub(in super::super) fn unmanaged_pool<'a>(pools: &'a [Pool], wanted: &WantedNode) -> Option<&'a Pool> {
    pools.iter().find(|pool| pool.ours && wanted.disks.is_empty())
}
