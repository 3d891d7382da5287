//! Days without a coordinator lose no snapshot and no report.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use heeler_host::zfs;
use heeler_proto::v1::{self, event::Kind};
use heeler_tests::{Cut, Fleet, Node, Operator};

use crate::scene::{DISKS, machine, pooled, until};

/// Ends between two rounds: a kill during a round would lose its report.
const AWAY: Duration = Duration::from_secs(7 * 24 * 60 * 60 + 30 * 60);
const FILES: &str = "data/pve-files";

/// `DATASET@NAME` of every snapshot that the agent asked ZFS for, in order.
fn asked_for(node: &Node) -> Vec<String> {
    let log = node.machine.log();
    let asked = log.iter().filter(|entry| entry.what.starts_with("zfs snapshot -o"));
    asked
        .map(|entry| entry.what.split(' ').next_back().unwrap().to_owned())
        .collect()
}

async fn there(node: &Node) -> Vec<String> {
    let listing = zfs::snapshots(&node.machine, &[FILES]).await.unwrap().pop().unwrap();
    let snapshots = listing.snapshots.unwrap().into_iter();
    snapshots.map(|one| format!("{FILES}@{}", one.name)).collect()
}

/// What was reported of the schedule: the names of the snapshots taken, and the number of those pruned.
async fn reported(operator: &mut Operator) -> (Vec<String>, usize) {
    let request = v1::EventsRequest {
        kinds: vec![v1::EventKind::Snapshots.into()],
        ..v1::EventsRequest::default()
    };
    let mut events = operator.events(request).await.unwrap().into_inner();
    let (mut taken, mut pruned) = (Vec::new(), 0);
    while let Some(event) = events.message().await.unwrap() {
        if let Some(Kind::Snapshots(run)) = event.event.and_then(|event| event.kind) {
            taken.extend(run.taken);
            pruned += run.pruned as usize;
        }
    }
    (taken, pruned)
}

#[tokio::test]
async fn seven_days_without_coordinator_lose_no_snapshot() {
    let mut fleet = Fleet::new().await;
    let mut node = Node::added(&fleet, machine("a", DISKS), "a").await;
    pooled(&fleet, &mut fleet.operator().await).await;
    fleet.stop().await;
    node.live_alone(AWAY).await;

    let taken = asked_for(&node);
    let hours: BTreeSet<&str> = taken.iter().map(|name| &name[FILES.len() + 8..][..11]).collect();
    assert!(hours.len() >= 7 * 24, "{hours:?}");
    let left = there(&node).await;
    let gone: Vec<&String> = taken.iter().filter(|name| !left.contains(name)).collect();
    assert!(gone.len() > 100, "{left:?}");
    for name in &gone {
        assert!(name.ends_with("_hourly"), "{name} served a day or a week as well");
        assert!(
            taken[..taken.len() - 24].contains(name),
            "{name} was one of the last 24"
        );
    }

    // While the days are reported, the connection is cut three times and the agent killed once.
    let port = std::mem::replace(&mut fleet.agents, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    fleet.clock.advance(u64::try_from(AWAY.as_millis()).unwrap());
    fleet.start().await.unwrap();
    let mut cut = Cut::new(port, fleet.agents, vec![12_000, 16_000, 20_000]).await;
    node.kill();
    node.start();
    cut.cuts(2).await;
    node.kill();
    node.start();
    let mut operator = fleet.operator().await;
    cut.cuts(3).await;
    until(async || {
        let (taken, pruned) = reported(&mut operator).await;
        taken.len() >= asked_for(&node).len() && pruned >= taken.len() - there(&node).await.len()
    })
    .await;
    let (taken, pruned) = reported(&mut operator).await;
    assert_eq!(taken, asked_for(&node), "each once, in its order");
    assert_eq!(pruned, taken.len() - there(&node).await.len());
}
