use heeler_host::zpool::Class;
use heeler_proto::{HostId, Irreversible};

use super::bench::{GUID, act, blank, blocked, candidate, commands, disks, member, on_record, plan, serial, task};
use crate::engine::Plan;
use crate::storage::ensure_pool::pool_exists::observed::{Candidate, CandidateLeg, Observed};

const IMPORT: &str = "zpool import -N -d /dev/disk/by-id -o cachefile=/etc/zfs/zpool.cache 7";

fn offered(candidates: Vec<Candidate>) -> Observed {
    Observed {
        importable: candidates,
        ..disks(vec![member("A1", GUID, 40), member("B1", GUID, 42)])
    }
}

/// No plan creates a pool.
#[track_caller]
fn never_creates(plan: &Plan) {
    if let Plan::Change { ops, .. } = plan {
        let creates = ops.iter().any(|op| op.summary().contains("create"));
        assert!(!creates, "{plan:?}");
    }
}

#[test]
fn a_complete_recorded_pool_is_imported_by_guid() {
    let plan = plan(&on_record(), &offered(vec![candidate(GUID, &["B1", "A1"])]));
    assert_eq!(commands(&plan), [IMPORT]);
}

#[test]
fn the_recorded_guid_decides_between_two_pools() {
    let two = offered(vec![candidate(8, &["C1", "D1"]), candidate(GUID, &["A1", "B1"])]);
    assert_eq!(commands(&plan(&on_record(), &two)), [IMPORT]);
    let neither = offered(vec![candidate(8, &["C1", "D1"]), candidate(9, &["A1", "B1"])]);
    blocked(plan(&on_record(), &neither));
    blocked(plan(&task(), &two));
}

#[test]
fn a_missing_leg_asks_and_shows_the_txg() {
    for legs in [["-", "B1"], ["-A1", "B1"]] {
        let plan = plan(&on_record(), &offered(vec![candidate(GUID, &legs)]));
        assert_eq!(commands(&plan), [IMPORT]);
        let Irreversible::ImportPool(import) = act(&plan) else {
            panic!("an import")
        };
        assert_eq!(import.missing, [serial("A1")]);
        let present: Vec<(&str, u64)> = import
            .present
            .iter()
            .map(|(disk, txg)| (disk.serial.as_str(), *txg))
            .collect();
        assert_eq!(present, [("B1", 42)]);
    }
}

#[test]
fn no_failure_to_import_ever_leads_to_creation() {
    let broken = |state: &str, status: &str| {
        let mut one = candidate(GUID, &["A1", "B1"]);
        one.pool.state = state.to_owned();
        one.pool.status = status.to_owned();
        one
    };
    let states = [
        broken(
            "UNAVAIL",
            "The pool uses the following feature(s) not supported on this system: x",
        ),
        broken("ONLINE", "The pool was last accessed by another system."),
        broken("ONLINE", "The pool is currently imported by another system."),
        broken("FAULTED", "One or more devices contains corrupted data."),
        broken("UNAVAIL", "One or more devices are missing from the system."),
    ];
    for one in states {
        let (status, words) = (one.pool.status.clone(), offered(vec![one]));
        for task in [task(), on_record()] {
            let plan = plan(&task, &words);
            never_creates(&plan);
            let stopped = blocked(plan);
            assert!(stopped.found.contains(&status), "ZFS's own words: {stopped:?}");
        }
    }
}

#[test]
fn a_foreign_host_id_is_shown() {
    let mut one = candidate(GUID, &["A1", "B1"]);
    one.pool.status = "The pool was last accessed by another system.".to_owned();
    let stopped = blocked(plan(&on_record(), &offered(vec![one])));
    assert!(stopped.found.contains("by pi5x, host id 0000beef"), "{stopped:?}");
}

#[test]
fn after_a_reflash_import_waits_for_the_host_id() {
    let mut one = candidate(GUID, &["A1", "B1"]);
    one.pool.status = "The pool was last accessed by another system.".to_owned();
    let seen = |hostid| Observed {
        hostid,
        ..offered(vec![one.clone()])
    };
    let mut own = on_record();
    own.pool.hostid = HostId(0xbeef);
    assert_eq!(plan(&own, &seen(Some(1))), Plan::After("HostIdSet"));
    assert_eq!(plan(&own, &seen(None)), Plan::After("HostIdSet"));
    blocked(plan(&own, &seen(Some(0xbeef))));
    blocked(plan(&on_record(), &seen(Some(1))));
}

#[test]
fn a_missing_recorded_pool_blocks() {
    let gone = blocked(plan(&on_record(), &disks(vec![blank("A1"), blank("B1")])));
    assert!(
        gone.found.contains("no disk in this node carries pool data (7)"),
        "{gone:?}"
    );
    assert!(gone.next.contains("put its disks back (A1, B1)"), "{gone:?}");
    let unoffered = blocked(plan(&on_record(), &disks(vec![member("A1", GUID, 1), blank("B1")])));
    assert!(unoffered.found.contains("its label is on A1"), "{unoffered:?}");
    assert!(unoffered.next.contains("zpool import -d"), "{unoffered:?}");
}

#[test]
fn other_disks_than_recorded_block_the_import() {
    let mut task = on_record();
    task.pool.serials[1] = serial("C1");
    let stopped = blocked(plan(&task, &offered(vec![candidate(GUID, &["A1", "B1"])])));
    assert!(
        stopped.found.contains("the pool has B1; heeler.toml says C1"),
        "{stopped:?}"
    );
    let grown = blocked(plan(&on_record(), &offered(vec![candidate(GUID, &["A1", "B1", "C1"])])));
    assert!(grown.found.contains("C1"), "{grown:?}");
}

#[test]
fn an_unrecorded_pool_of_ours_is_adopted() {
    assert_eq!(
        commands(&plan(&task(), &offered(vec![candidate(GUID, &["A1", "B1"])]))),
        [IMPORT]
    );
}

#[test]
fn an_unrecorded_foreign_pool_blocks() {
    let mut foreign = candidate(GUID, &["A1", "B1"]);
    foreign.pool.comment = "heeler:k8sctl/pi5r".to_owned();
    let mut renamed = candidate(GUID, &["A1", "B1"]);
    renamed.pool.name = "tank".to_owned();
    let others = [
        (
            foreign,
            "To destroy all data of pool data, which cannot be undone: heeler disk erase A1; heeler disk erase B1",
        ),
        (renamed, "in heeler.toml: name = \"tank\""),
        (candidate(GUID, &["A1", "-B1"]), "put all disks of pool data back"),
        (candidate(GUID, &["A1", "-"]), "put all disks of pool data back"),
        (
            candidate(GUID, &["A1"]),
            "zpool import -N -d /dev/disk/by-id 7; heeler plan then says",
        ),
        (
            candidate(GUID, &["A1", "B1", "C1"]),
            "in heeler.toml: disks = [\"A1\", \"B1\", \"C1\"]",
        ),
        (
            candidate(GUID, &["C1", "D1"]),
            "in heeler.toml: disks = [\"C1\", \"D1\"]",
        ),
    ];
    for (other, advice) in others {
        let plan = plan(&task(), &offered(vec![other]));
        never_creates(&plan);
        let stopped = blocked(plan);
        assert!(stopped.advice().contains(advice), "{stopped:?}");
        let destroys = stopped.next.contains("disk erase");
        assert_eq!(destroys, stopped.next.contains("To destroy all data"), "{stopped:?}");
    }
}

#[test]
fn an_old_record_does_not_block_a_whole_pool() {
    let mut task = on_record();
    task.pool.recorded_serials.push(serial("OLD1"));
    let whole = offered(vec![candidate(GUID, &["A1", "B1"])]);
    assert_eq!(plan(&task, &whole), plan(&on_record(), &whole));
    assert_eq!(commands(&plan(&task, &whole)), [IMPORT]);
}

#[test]
fn after_a_replacement_nobody_saw_the_advice_followed_imports() {
    let seen = offered(vec![candidate(GUID, &["A1", "C1"])]);
    let stopped = blocked(plan(&on_record(), &seen));
    assert_eq!(stopped.advice(), r#"in heeler.toml: disks = ["A1", "C1"]"#);
    let mut task = on_record();
    task.pool.serials = vec![serial("A1"), serial("C1")];
    let followed = plan(&task, &seen);
    assert_eq!(commands(&followed), [IMPORT]);
    let Plan::Change { ops, .. } = followed else {
        panic!("a change")
    };
    assert!(ops[0].act().is_none(), "nothing is lost by it");
}

#[test]
fn only_what_a_pool_needs_counts_as_its_legs() {
    let mut one = candidate(GUID, &["A1", "B1"]);
    one.legs.push(CandidateLeg {
        serial: Some("S9".to_owned()),
        class: Class::Spare,
        ..CandidateLeg::default()
    });
    for task in [task(), on_record()] {
        assert_eq!(commands(&plan(&task, &offered(vec![one.clone()]))), [IMPORT]);
    }
}
