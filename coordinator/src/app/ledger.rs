use std::collections::HashSet;

use heeler_proto::{
    HostId, PoolGuid, Serial,
    v1::{self, AlarmKind, EventKind},
};
use heeler_store::{Node, Pool, Tx};
use prost::Message as _;

use super::{App, Result, pool_comment};
use crate::sessions::Session;

/// Most pools of ours that a node can put on record by its report alone, and most legs of each. No real node has as
/// many.
const MOST_POOLS: usize = 8;
const MOST_LEGS: usize = 64;

/// What a look at a node covered.
pub enum Part {
    /// The whole node.
    All,
    Pools,
}

impl App {
    /// Stores the facts of a look, and updates the records of disks and pools from them. Fails when the database cannot
    /// be written.
    pub async fn looked(&self, session: &Session, mut facts: v1::Facts, part: Part) -> Result<()> {
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
            // Before the first full look, these facts would be taken for the whole node.
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
        // The record gets only what the node proved; `name_lost_legs` adds what the record says.
        let proven = facts.pools.clone();
        name_lost_legs(&mut tx, &mut facts.pools).await?;
        self.take_pools(&mut tx, &node, &before, &mut facts).await?;
        self.see_pools(&mut tx, &node.name, &proven, None).await?;
        self.forget_foreign_pools(&mut tx, &node.name, &facts).await?;
        node.facts = Some(facts.encode_to_vec());
        node.last_seen_ms = now_ms;
        tx.set_node(&node).await?;
        let last = tx.added_event();
        tx.save().await?;
        self.feed.stored(last);
        Ok(())
    }

    /// Records pools. `made` names the pool that a finished task has created or imported: it is ours.
    pub(super) async fn see_pools(
        &self,
        tx: &mut Tx,
        node: &str,
        pools: &[v1::Pool],
        made: Option<&str>,
    ) -> Result<()> {
        let on_record = tx.pools_of(node).await?;
        let mut room = MOST_POOLS.saturating_sub(on_record.iter().filter(|pool| pool.ours).count());
        let mut left_off = Vec::new();
        for pool in pools.iter().filter(|pool| PoolGuid::parse(&pool.guid).is_ok()) {
            let known = tx.pool(&pool.guid).await?;
            // Another node's report about a pool of ours changes nothing on record.
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
                tx.add_event(&self.event(EventKind::Pool, node, text)).await?;
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

    /// Records the legs without which the pool cannot be imported: no logs, caches and spares. A pool seen ONLINE
    /// with all its legs has no others, so older legs leave the record; their labels still protect them.
    async fn see_legs(&self, tx: &mut Tx, record: &Pool, pool: &v1::Pool) -> Result<()> {
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
                tx.add_event(&self.event(EventKind::Pool, &record.node, text)).await?;
            }
        }
        Ok(())
    }

    /// A node that comes with pools, and has none on record, was set up without Heeler, or before a database was
    /// lost. It keeps the hostid that its pools were imported under.
    async fn adopt_hostid(&self, tx: &mut Tx, node: &Node, facts: &v1::Facts) -> Result<()> {
        let theirs = HostId::parse(&facts.hostid).is_ok() && facts.hostid != node.hostid;
        if !theirs || facts.pools.is_empty() || !tx.pools_of(&node.name).await?.is_empty() {
            return Ok(());
        }
        if tx.adopt_hostid(&node.name, &facts.hostid).await? {
            let text = format!("keeps its host id {}: it came with a pool", facts.hostid);
            tx.add_event(&self.event(EventKind::Pool, &node.name, text)).await?;
        }
        Ok(())
    }

    /// Alarms when a pool of another node is imported here: its disks were moved. The record does not change.
    async fn alarm_if_elsewhere(&self, tx: &mut Tx, node: &str, pool: &v1::Pool) -> Result<()> {
        let known = tx.pool(&pool.guid).await?;
        if let Some(owner) = known.filter(|known| known.ours && known.node != node) {
            let text = format!("pool {} ({}) of {} is imported here", pool.name, pool.guid, owner.node);
            let about = (AlarmKind::PoolElsewhere, pool.guid.as_str());
            tx.add_event(&self.alarm(about, node, text)).await?;
        }
        Ok(())
    }

    /// Alarms once about each pool that is not recorded because the node has too many.
    async fn alarm_if_left_off(&self, tx: &mut Tx, node: &str, pools: &[&v1::Pool]) -> Result<()> {
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
            let about = (AlarmKind::PoolNotRecorded, pool.guid.as_str());
            tx.add_event(&self.alarm(about, node, text)).await?;
        }
        Ok(())
    }

    /// Deletes pools that are not ours from the record when they are no longer imported.
    async fn forget_foreign_pools(&self, tx: &mut Tx, node: &str, facts: &v1::Facts) -> Result<()> {
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

/// Whether the pool cannot be imported completely without this leg. Older agents report no class; then every leg
/// counts.
fn is_needed(leg: &v1::Leg) -> bool {
    use v1::LegClass::{Data, Dedup, Special, Unspecified};
    matches!(leg.class(), Unspecified | Data | Special | Dedup)
}

/// Gives a leg without an identified disk the serial that its vdev last had, unless that disk is identified as
/// another leg by now. A person pulls the disk that this names.
pub(super) async fn name_lost_legs(tx: &mut Tx, pools: &mut [v1::Pool]) -> Result<()> {
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
            // An older database may hold two serials for one vdev; then neither is certain.
            if let (Some((serial, _)), None) = (known.next(), known.next()) {
                leg.serial.clone_from(serial);
            }
        }
    }
    Ok(())
}

/// The node's stored facts; None before the first look.
pub(super) fn facts_of(node: &Node) -> Result<Option<v1::Facts>> {
    node.facts
        .as_deref()
        .map(|bytes| super::decoded("a node's facts", bytes))
        .transpose()
}
