use std::collections::HashSet;

use heeler_proto::{HostId, PoolGuid, Serial, v1};
use heeler_store::{Node, Pool, Tx};
use prost::Message as _;

use super::{App, AppError, pool_comment};
use crate::sessions::Session;

/// Pools of ours that a node may put on record by its own word, and legs of each: more than any has.
const MOST_POOLS: usize = 8;
const MOST_LEGS: usize = 64;

/// How much of a node was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    All,
    /// Its pools.
    Pools,
}

impl App {
    /// Keeps what a node found on itself, and what that says about disks and pools.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn looked(&self, session: &Session, mut facts: v1::Facts, part: Part) -> Result<(), AppError> {
        let now_ms = self.now_ms();
        let mut tx = self.store.write().await?;
        let Some(mut node) = tx.node(session.node.as_str()).await? else {
            return Ok(());
        };
        let before = facts_of(&node)?.unwrap_or_default();
        match part {
            Part::All => {
                let disks: Vec<_> = facts
                    .disks
                    .iter()
                    .filter(|disk| Serial::new(&disk.serial).is_ok())
                    .map(|disk| (disk.serial.clone(), disk.encode_to_vec()))
                    .collect();
                tx.see_disks(&node.name, &disks, now_ms).await?;
                self.adopt_hostid(&mut tx, &node, &facts).await?;
                node.facts_at_ms = now_ms;
            }
            // Where the node was never looked at, a part would be taken for all of it.
            Part::Pools if node.facts_at_ms == 0 => return Ok(()),
            Part::Pools => {
                facts = v1::Facts {
                    pools: facts.pools,
                    unreadable_pools: facts.unreadable_pools,
                    ..before.clone()
                };
            }
        }
        let known = guids(&before.pools);
        for pool in facts.pools.iter().filter(|pool| !known.contains(pool.guid.as_str())) {
            self.alarm_if_elsewhere(&mut tx, &node.name, pool).await?;
        }
        // What goes on record is what the node proved, not what is known of it already.
        let proven = facts.pools.clone();
        name_lost_legs(&mut tx, &mut facts.pools).await?;
        self.take_pools(&mut tx, &node, &before, &mut facts).await?;
        self.see_pools(&mut tx, &node.name, &proven, None).await?;
        self.forget_strangers(&mut tx, &node.name, &facts).await?;
        node.facts = Some(facts.encode_to_vec());
        node.last_seen_ms = now_ms;
        tx.set_node(&node).await?;
        let last = tx.last_event().await?;
        tx.save().await?;
        self.feed.stored(last);
        Ok(())
    }

    /// Puts pools on record. `made` names the one that a finished task has just proven to be ours.
    pub(super) async fn see_pools(
        &self,
        tx: &mut Tx,
        node: &str,
        pools: &[v1::Pool],
        made: Option<&str>,
    ) -> Result<(), AppError> {
        let on_record = tx.pools_of(node).await?;
        let mut room = MOST_POOLS.saturating_sub(on_record.iter().filter(|pool| pool.ours).count());
        let mut left_off = Vec::new();
        for pool in pools.iter().filter(|pool| PoolGuid::parse(&pool.guid).is_ok()) {
            let known = tx.pool(&pool.guid).await?;
            // What another node says of it changes nothing on record.
            if known.as_ref().is_some_and(|known| known.ours && known.node != node) {
                continue;
            }
            let ours = made == Some(pool.name.as_str()) || pool.comment == pool_comment(&self.cluster, node);
            if ours && known.is_none_or(|known| !known.ours) {
                if made.is_none() && room == 0 {
                    left_off.push(pool);
                    continue;
                }
                room = room.saturating_sub(1);
                let text = format!("pool {} ({}) is on record", pool.name, pool.guid);
                tx.add_event(&self.event("pool", node, text)).await?;
            }
            let (guid, name) = (pool.guid.clone(), pool.name.clone());
            let record = Pool {
                guid,
                name,
                node: node.to_owned(),
                ours,
                seen_at_ms: self.now_ms(),
            };
            self.see_legs(tx, &record, pool).await?;
        }
        self.alarm_if_left_off(tx, node, &left_off).await
    }

    /// What the pool needs of its legs goes on record; neither logs, caches nor spares. A pool that is seen whole has these
    /// legs and no others: what was replaced or removed keeps its label, and is judged by that.
    async fn see_legs(&self, tx: &mut Tx, record: &Pool, pool: &v1::Pool) -> Result<(), AppError> {
        let needed: Vec<_> = pool
            .legs
            .iter()
            .filter(|leg| is_needed(leg))
            .take(MOST_LEGS + 1)
            .collect();
        let proven = |leg: &v1::Leg| {
            (leg.identified || leg.class() == v1::LegClass::Unspecified) && Serial::new(&leg.serial).is_ok()
        };
        let known: Vec<_> = needed.iter().filter(|leg| proven(leg)).take(MOST_LEGS).collect();
        let serials: Vec<String> = known.iter().map(|leg| leg.serial.clone()).collect();
        tx.record_pool(record, &serials).await?;
        for leg in known.iter().filter(|leg| leg.identified) {
            tx.note_vdev(&pool.guid, &leg.serial, &leg.guid).await?;
        }
        let whole = !needed.is_empty() && needed.iter().all(|leg| leg.identified && leg.state == "ONLINE");
        if pool.state == "ONLINE" && whole && known.len() == needed.len() {
            let gone = tx.keep_legs(&pool.guid, &serials).await?;
            if !gone.is_empty() {
                let text = format!(
                    "pool {} is complete without {}: removed from its record",
                    pool.name,
                    gone.join(", ")
                );
                tx.add_event(&self.event("pool", &record.node, text)).await?;
            }
        }
        Ok(())
    }

    /// A node that comes with pools, and has none on record, was made by somebody else, or by us before a database was
    /// lost: it keeps the hostid that its pools are imported under.
    async fn adopt_hostid(&self, tx: &mut Tx, node: &Node, facts: &v1::Facts) -> Result<(), AppError> {
        let theirs = HostId::parse(&facts.hostid).is_ok() && facts.hostid != node.hostid;
        if !theirs || facts.pools.is_empty() || !tx.pools_of(&node.name).await?.is_empty() {
            return Ok(());
        }
        if tx.adopt_hostid(&node.name, &facts.hostid).await? {
            let text = format!("keeps its host id {}: it came with a pool", facts.hostid);
            tx.add_event(&self.event("pool", &node.name, text)).await?;
        }
        Ok(())
    }

    /// Its disks were moved: the pool stays on record for its first node, and a person is told.
    async fn alarm_if_elsewhere(&self, tx: &mut Tx, node: &str, pool: &v1::Pool) -> Result<(), AppError> {
        let known = tx.pool(&pool.guid).await?;
        if let Some(owner) = known.filter(|known| known.ours && known.node != node) {
            let text = format!("pool {} ({}) of {} is imported here", pool.name, pool.guid, owner.node);
            tx.add_event(&self.event("alarm", node, text)).await?;
        }
        Ok(())
    }

    /// A person is told of pools that are not put on record: once, not with every look.
    async fn alarm_if_left_off(&self, tx: &mut Tx, node: &str, pools: &[&v1::Pool]) -> Result<(), AppError> {
        if pools.is_empty() {
            return Ok(());
        }
        let before = tx.node(node).await?;
        let before = before.map(|node| facts_of(&node)).transpose()?.flatten();
        let before = before.unwrap_or_default();
        let known = guids(&before.pools);
        for pool in pools.iter().filter(|pool| !known.contains(pool.guid.as_str())) {
            let text = format!(
                "pool {} ({}) is not put on record: {MOST_POOLS} pools of this node are",
                pool.name, pool.guid
            );
            tx.add_event(&self.event("alarm", node, text)).await?;
        }
        Ok(())
    }

    /// A pool that is not ours is on record only while it is imported.
    async fn forget_strangers(&self, tx: &mut Tx, node: &str, facts: &v1::Facts) -> Result<(), AppError> {
        let imported = guids(&facts.pools);
        let unreadable: HashSet<&str> = facts.unreadable_pools.iter().map(|pool| pool.name.as_str()).collect();
        for pool in tx.pools_of(node).await? {
            let seen = imported.contains(pool.guid.as_str()) || unreadable.contains(pool.name.as_str());
            if !pool.ours && !seen {
                tx.forget_pool(&pool.guid).await?;
            }
        }
        Ok(())
    }
}

fn guids(pools: &[v1::Pool]) -> HashSet<&str> {
    pools.iter().map(|pool| pool.guid.as_str()).collect()
}

/// The pool cannot be imported whole without it. Agents that name no class tell no others apart.
fn is_needed(leg: &v1::Leg) -> bool {
    use v1::LegClass::{Data, Dedup, Special, Unspecified};
    matches!(leg.class(), Unspecified | Data | Special | Dedup)
}

/// A leg that no disk is proven to be has the serial that its vdev had while the disk was seen to be it, unless that disk
/// is proven to be another leg by now: a person who reads it pulls that disk.
pub(super) async fn name_lost_legs(tx: &mut Tx, pools: &mut [v1::Pool]) -> Result<(), AppError> {
    let legs = pools.iter().flat_map(|pool| &pool.legs);
    let in_use: HashSet<String> = legs
        .filter(|leg| leg.identified)
        .map(|leg| leg.serial.clone())
        .collect();
    for pool in pools {
        if pool.legs.iter().all(|leg| leg.identified || leg.guid.is_empty()) {
            continue;
        }
        let mut vdevs = tx.vdevs(&pool.guid).await?;
        vdevs.retain(|(serial, _)| !in_use.contains(serial));
        for leg in pool
            .legs
            .iter_mut()
            .filter(|leg| !leg.identified && leg.serial.is_empty())
        {
            let mut known = vdevs.iter().filter(|(_, vdev)| *vdev == leg.guid);
            // Of two in an older database, which of them it was is not known.
            if let (Some((serial, _)), None) = (known.next(), known.next()) {
                leg.serial.clone_from(serial);
            }
        }
    }
    Ok(())
}

/// What is stored of a node's facts.
pub(super) fn facts_of(node: &Node) -> Result<Option<v1::Facts>, AppError> {
    node.facts
        .as_deref()
        .map(|bytes| super::decoded("a node's facts", bytes))
        .transpose()
}
