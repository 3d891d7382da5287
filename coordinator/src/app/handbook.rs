use heeler_proto::v1;
use heeler_store::{Disk, Leg, Node, Pool, Tx};
use nix::unistd::gethostname;
use prost::Message as _;

use super::{App, Result, decoded, ledger, share, words};
use crate::backup::RECIPIENT;
use crate::config::{self, Config};
use crate::state::StateFolder;

impl App {
    /// Everything that a person needs when there is no coordinator. Fails when the database cannot be read.
    pub async fn handbook(&self) -> Result<v1::HandbookReply> {
        handbook(&mut self.store.read().await?, &self.state, self.now_ms()).await
    }
}

/// The same from a state folder; no coordinator need run. Fails when the database cannot be read.
pub async fn handbook(tx: &mut Tx, state: &StateFolder, now_ms: u64) -> Result<v1::HandbookReply> {
    let accepted = tx.accepted().await?;
    let config = accepted
        .as_ref()
        .and_then(|accepted| config::parse(&accepted.text).ok());
    let (backup_at_ms, backup_by) = tx.last_deed("backup").await?.unwrap_or_default();
    let operators = tx.operators().await?;
    let folder = std::fs::read_to_string(state.config()).unwrap_or_default();
    let addresses = config.iter().flat_map(|config| &config.coordinator);
    Ok(v1::HandbookReply {
        at_ms: now_ms,
        cluster: tx.meta("cluster").await?.unwrap_or_default(),
        revision: accepted.as_ref().map_or(0, |accepted| accepted.number),
        host: gethostname().map_or_else(|_| String::new(), |name| name.to_string_lossy().into_owned()),
        addresses: addresses.map(|address| address.value.to_string()).collect(),
        state: state.path().display().to_string(),
        config: folder.trim().to_owned(),
        operators: operators.into_iter().map(|operator| operator.name).collect(),
        recovery_key: tx.meta(RECIPIENT).await?.is_some(),
        backup_at_ms,
        backup_by,
        copies: super::copies::newest(tx).await?,
        nodes: nodes(tx, config.as_ref()).await?,
    })
}

/// Known nodes by name, then those of heeler.toml that were never added.
async fn nodes(tx: &mut Tx, config: Option<&Config>) -> Result<Vec<v1::HandbookNode>> {
    let (pools, legs, disks) = (tx.pools().await?, tx.legs().await?, tx.disks(None).await?);
    let mut all = Vec::new();
    let known = tx.nodes().await?;
    let share = share::of_list(known.len());
    for node in known {
        let facts = ledger::facts_of(&node)?.unwrap_or_default();
        let pools: Vec<_> = pools.iter().filter(|pool| pool.node == node.name).collect();
        let mut shown = v1::HandbookNode {
            pools: known_pools(&pools, &facts),
            disks: known_disks(&node, &pools, &legs, &disks, &facts)?,
            looked_at_ms: node.facts_at_ms,
            state: words::node_state(node.state).into(),
            node: node.name,
            address: first_address(&facts),
            model: facts.model,
            hardware_serial: node.hardware_serial,
            os: facts.os,
            ..v1::HandbookNode::default()
        };
        shorten(share, &mut shown);
        as_wanted(&mut shown, config);
        all.push(shown);
    }
    let missing = config.iter().flat_map(|config| &config.nodes);
    let missing = missing.filter(|node| !all.iter().any(|known| known.node == node.name.value.as_str()));
    let missing: Vec<_> = missing.map(|node| node.name.value.to_string()).collect();
    all.extend(missing.into_iter().map(|node| {
        let mut shown = v1::HandbookNode {
            node,
            ..v1::HandbookNode::default()
        };
        as_wanted(&mut shown, config);
        shown
    }));
    Ok(all)
}

/// Cuts a node's entry to `share` bytes: first the long texts of its disks, then disks; the first disk then says so.
fn shorten(share: usize, shown: &mut v1::HandbookNode) {
    if shown.encoded_len() <= share {
        return;
    }
    for disk in &mut shown.disks {
        (disk.finding, disk.model) = ("too long to be listed".to_owned(), String::new());
    }
    let all = shown.disks.len();
    while shown.encoded_len() > share && !shown.disks.is_empty() {
        shown.disks.truncate(shown.disks.len() / 2);
        if let Some(first) = shown.disks.first_mut() {
            first.finding = format!("not all of {all} disks are listed: heeler disk list {}", shown.node);
        }
    }
}

/// Adds what heeler.toml says about the node.
fn as_wanted(shown: &mut v1::HandbookNode, config: Option<&Config>) {
    let Some(config) = config else { return };
    let Some(node) = config.nodes.iter().find(|node| node.name.value.as_str() == shown.node) else {
        return;
    };
    let location = node.location.as_ref().map(|location| location.value.clone());
    shown.location = location.unwrap_or_default();
    shown.address = node.address.value.to_string();
    let backplane = node.backplane.as_ref().map(|card| card.address.value.to_string());
    shown.backplane = backplane.unwrap_or_default();
    let user = node.defaults.user.as_ref().or(config.defaults.user.as_ref());
    shown.user = user.map(|user| user.value.clone()).unwrap_or_default();
}

fn first_address(facts: &v1::Facts) -> String {
    let address = facts.nics.iter().flat_map(|nic| &nic.addresses).next();
    let address = address.map(|address| address.split('/').next().unwrap_or_default().to_owned());
    address.unwrap_or_default()
}

fn known_pools(recorded: &[&Pool], facts: &v1::Facts) -> Vec<v1::HandbookPool> {
    let is_ours = |guid: &str| recorded.iter().any(|pool| pool.ours && pool.guid == guid);
    let mut all: Vec<_> = facts
        .pools
        .iter()
        .map(|pool| v1::HandbookPool {
            ours: is_ours(&pool.guid),
            name: pool.name.clone(),
            guid: pool.guid.clone(),
            state: pool.state.clone(),
            size_bytes: pool.size_bytes,
            allocated_bytes: pool.allocated_bytes,
        })
        .collect();
    let gone = recorded
        .iter()
        .filter(|pool| pool.ours && !facts.pools.iter().any(|seen| seen.guid == pool.guid));
    all.extend(gone.map(|pool| v1::HandbookPool {
        name: pool.name.clone(),
        guid: pool.guid.clone(),
        state: "not imported".to_owned(),
        ours: true,
        ..v1::HandbookPool::default()
    }));
    all
}

fn known_disks(
    node: &Node,
    pools: &[&Pool],
    legs: &[Leg],
    disks: &[Disk],
    facts: &v1::Facts,
) -> Result<Vec<v1::HandbookDisk>> {
    let own = disks.iter().filter(|disk| disk.node == node.name);
    let shown = own.map(|known| {
        let disk: v1::Disk = decoded("a disk", &known.disk)?;
        let recorded = legs.iter().find(|leg| leg.serial == known.serial);
        let pool = recorded.and_then(|leg| pools.iter().find(|pool| pool.guid == leg.guid));
        let mut seen = facts.pools.iter().flat_map(|pool| &pool.legs);
        let leg = seen.find(|leg| leg.serial == known.serial);
        Ok(v1::HandbookDisk {
            slot: disk.slot,
            serial: known.serial.clone(),
            model: disk.model,
            size_bytes: disk.size_bytes,
            pool: pool.map(|pool| pool.name.clone()).unwrap_or_default(),
            leg_state: leg.map(|leg| leg.state.clone()).unwrap_or_default(),
            finding: disk.finding,
            present: known.present,
        })
    });
    let mut shown = shown.collect::<Result<Vec<_>>>()?;
    shown.sort_by(|a, b| (a.slot.is_empty(), &a.slot, &a.serial).cmp(&(b.slot.is_empty(), &b.slot, &b.serial)));
    Ok(shown)
}
