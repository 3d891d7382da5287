use heeler_host::disk::{Disk, DiskState, MemberState};
use heeler_host::facts::{LegFact, PoolFact};
use heeler_host::zdb::Label;
use heeler_host::zpool::Importable;
use heeler_proto::{
    CreatePool, EnsurePool, HostId, Irreversible, LiveSerial, NodeName, PoolGuid, PoolName, PoolSpec, Serial,
};

use super::super::PoolExists;
use super::super::observed::{Candidate, CandidateLeg, Observed};
use crate::engine::{Blocked, Op, Plan, Step as _};

pub(super) const GUID: u64 = 7;
pub(super) const OURS: &str = "heeler:k8sctl/pi5l";

pub(super) fn serial(text: &str) -> Serial {
    Serial::new(text).unwrap()
}

/// Pool data on A1 and B1 is wanted; nothing is on record.
pub(super) fn task() -> EnsurePool {
    EnsurePool {
        pool: PoolSpec {
            name: PoolName::new("data").unwrap(),
            serials: vec![serial("A1"), serial("B1")],
            datasets: Vec::new(),
            arc_max_bytes: None,
            hostid: HostId(1),
            recorded_guid: None,
            recorded_serials: Vec::new(),
            comment: OURS.to_owned(),
        },
        live: Vec::new(),
        unread: Vec::new(),
    }
}

/// The same with pool 7 on record.
pub(super) fn on_record() -> EnsurePool {
    let mut task = task();
    task.pool.recorded_guid = Some(PoolGuid(GUID));
    task.pool.recorded_serials = task.pool.serials.clone();
    task
}

pub(super) fn live(on: &str) -> LiveSerial {
    LiveSerial {
        serial: serial(on),
        guid: PoolGuid(9),
        node: NodeName::new("pi5r").unwrap(),
    }
}

pub(super) fn disk(serial: &str, state: DiskState) -> Disk {
    Disk {
        serial: serial.to_owned(),
        by_id: format!("/dev/disk/by-id/nvme-M_{serial}"),
        model: "M".to_owned(),
        size_bytes: 128_000_000_000,
        slot: serial.chars().next(),
        transport: "nvme".to_owned(),
        kernel_path: format!("/dev/nvme{serial}"),
        state,
        labels: Vec::new(),
        only_marks_of_zfs: false,
    }
}

pub(super) fn blank(serial: &str) -> Disk {
    disk(serial, DiskState::Blank)
}

pub(super) fn member(serial: &str, guid: u64, txg: u64) -> Disk {
    let mut disk = disk(
        serial,
        DiskState::PoolMember {
            name: "data".to_owned(),
            guid,
            state: MemberState::Exported,
            txg,
            hostname: "pi5l".to_owned(),
            hostid: 1,
        },
    );
    disk.labels = vec![Label {
        pool_guid: guid,
        txg,
        hostname: "pi5x".to_owned(),
        hostid: 0xbeef,
        ..Label::default()
    }];
    disk
}

pub(super) fn disks(disks: Vec<Disk>) -> Observed {
    Observed {
        loaded: true,
        disks,
        ..Observed::default()
    }
}

/// An importable pool data with this node's comment. `legs` are serials; one with `-` in front is not online.
pub(super) fn candidate(guid: u64, legs: &[&str]) -> Candidate {
    let online = legs.iter().all(|leg| !leg.starts_with('-'));
    Candidate {
        pool: Importable {
            name: "data".to_owned(),
            guid,
            state: if online { "ONLINE" } else { "DEGRADED" }.to_owned(),
            comment: OURS.to_owned(),
            ..Importable::default()
        },
        legs: legs
            .iter()
            .map(|leg| CandidateLeg {
                serial: Some(leg.trim_start_matches('-').to_owned()).filter(|_| *leg != "-"),
                online: !leg.starts_with('-'),
                ..CandidateLeg::default()
            })
            .collect(),
    }
}

pub(super) fn fact(state: &str, legs: &[&str]) -> PoolFact {
    PoolFact {
        name: "data".to_owned(),
        guid: GUID,
        state: state.to_owned(),
        scan_function: "NONE".to_owned(),
        legs: legs.iter().map(|text| leg(text)).collect(),
        comment: OURS.to_owned(),
        ..PoolFact::default()
    }
}

/// A serial, or the path of a missing disk.
fn leg(text: &str) -> LegFact {
    let gone = text.contains('/');
    LegFact {
        serial: if gone { String::new() } else { text.to_owned() },
        guid: 1,
        state: if gone { "UNAVAIL" } else { "ONLINE" }.to_owned(),
        path: text.to_owned(),
        top: "mirror-0".to_owned(),
        ..LegFact::default()
    }
}

pub(super) fn plan(task: &EnsurePool, seen: &Observed) -> Plan {
    PoolExists::new(task, &[]).plan(seen)
}

pub(super) fn plan_after(task: &EnsurePool, begun: &CreatePool, seen: &Observed) -> Plan {
    PoolExists::new(task, &[Irreversible::CreatePool(begun.clone())]).plan(seen)
}

#[track_caller]
pub(super) fn blocked(plan: Plan) -> Blocked {
    match plan {
        Plan::Blocked(blocked) => blocked,
        other => panic!("should have stopped: {other:?}"),
    }
}

/// The commands of a change, as typed.
#[track_caller]
pub(super) fn commands(plan: &Plan) -> Vec<String> {
    let Plan::Change { ops, .. } = plan else {
        panic!("should have changed something: {plan:?}")
    };
    let typed = |op: &Op| match op {
        Op::Run(command) => command.to_string(),
        Op::Irreversible { op, .. } => match op.as_ref() {
            Op::Run(command) => command.to_string(),
            other => panic!("{other:?}"),
        },
        other => other.summary(),
    };
    ops.iter().map(typed).collect()
}

/// The act of a change that cannot be undone.
#[track_caller]
pub(super) fn act(plan: &Plan) -> Irreversible {
    let Plan::Change { ops, .. } = plan else {
        panic!("should have changed something: {plan:?}")
    };
    ops.iter().find_map(Op::act).cloned().unwrap()
}
