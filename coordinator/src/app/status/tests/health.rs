use heeler_store::SeenAlarm;

use super::*;

#[test]
fn another_nodes_volume_is_not_missing() {
    let wanted = wanted();
    let said = scheduled(v1::ScheduleFacts {
        absent: vec!["data/vm/vm-100".into()],
        ..v1::ScheduleFacts::default()
    });
    for (taken_of, light) in [("data/vm/vm-100", Green), ("data/vm/vm-200", Amber)] {
        let all = HashSet::from([taken_of.to_owned()]);
        let look = Look {
            scheduled: Some(&all),
            ..look(Some(&wanted))
        };
        assert_eq!(seen(&said, &look).0.light(), light, "{taken_of}");
    }
}

fn told(pool: v1::Pool) -> Vec<(v1::Light, String)> {
    let wanted = wanted();
    let (_, alerts) = seen(&node(vec![pool]), &look(Some(&wanted)));
    alerts.into_iter().map(|alert| (alert.light(), alert.text)).collect()
}

fn of_class(class: v1::LegClass, state: &str) -> v1::Pool {
    let mut whole = pool("ONLINE", "ONLINE");
    whole.available_bytes = 100;
    whole.legs.push(v1::Leg {
        class: class.into(),
        ..leg("S3", state)
    });
    whole
}

#[test]
fn a_failed_device_is_named_with_its_class() {
    for (class, state, light, part) in [
        (
            v1::LegClass::Log,
            "FAULTED",
            Amber,
            "log device S3 of pool data is FAULTED",
        ),
        (v1::LegClass::Cache, "UNAVAIL", Amber, "no data is at risk"),
        (v1::LegClass::Spare, "UNAVAIL", Amber, "cannot replace"),
        (
            v1::LegClass::Spare,
            "INUSE",
            Amber,
            "spare S3 of pool data replaces a failed disk",
        ),
        (v1::LegClass::Special, "FAULTED", Red, "all data of the pool is lost"),
        (v1::LegClass::Dedup, "DEGRADED", Red, "all data of the pool is lost"),
    ] {
        let said = told(of_class(class, state));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].0 == light && said[0].1.contains(part), "{said:?}");
    }
    assert_eq!(told(of_class(v1::LegClass::Spare, "AVAIL")), []);
    let logless = v1::Pool {
        state: "DEGRADED".into(),
        ..of_class(v1::LegClass::Log, "FAULTED")
    };
    let wanted = wanted();
    let (status, alerts) = seen(&node(vec![logless]), &look(Some(&wanted)));
    assert_eq!((status.light(), status.pool.as_str()), (Amber, "DEGRADED"));
    assert!(!summary(&[status], &alerts).contains("no redundancy"));
}

#[test]
fn an_online_pool_with_errors_is_not_green() {
    let healthy = || {
        let mut pool = of_class(v1::LegClass::Cache, "ONLINE");
        pool.zfs_status.clear();
        pool
    };
    assert_eq!(told(healthy()), []);
    type Wrong = (fn(&mut v1::Pool), v1::Light, &'static str);
    let cases: [Wrong; 9] = [
        (
            |pool| pool.legs[0].read_errors = 2750,
            Amber,
            "pool data: S1 has 2750 read errors",
        ),
        (
            |pool| pool.legs[2].checksum_errors = 1,
            Amber,
            "pool data: cache device S3 has 1 checksum errors",
        ),
        (
            |pool| {
                pool.repaired_bytes = 25 << 20;
                pool.scan_function = "SCRUB".into();
                pool.scan_state = "FINISHED".into();
            },
            Amber,
            "a scrub of pool data repaired 25 MiB",
        ),
        (|pool| pool.scan_errors = 2, Amber, "could not repair 2 errors"),
        (
            |pool| pool.allocated_bytes = 160,
            Amber,
            "pool data is 80% full, 100 B left",
        ),
        (|pool| pool.allocated_bytes = 180, Red, "pool data is 90% full"),
        (|pool| pool.available_bytes = 0, Red, "pool data is 41% full, 0 B left"),
        (|pool| pool.readonly = true, Amber, "pool data is imported read-only"),
        (
            |pool| {
                pool.scan_function = "RESILVER".into();
                pool.scan_state = "SCANNING".into();
                pool.zfs_status = "One or more devices is currently being resilvered.".into();
            },
            Amber,
            "Do NOT pull any of its data disks until it has ended. ZFS says: One or more",
        ),
    ];
    for (spoil, light, part) in cases {
        let mut pool = healthy();
        spoil(&mut pool);
        let said = told(pool);
        assert!(
            said.len() == 1 && said[0].0 == light && said[0].1.contains(part),
            "{said:?}"
        );
    }
    let features = v1::Pool {
        zfs_status: "Some supported and requested features are not enabled on the pool.".into(),
        ..healthy()
    };
    assert_eq!(told(features), []);
    let unknown = v1::Pool {
        zfs_status: "Something new.".into(),
        ..healthy()
    };
    assert_eq!(told(unknown), [(Amber, "ZFS says of pool data: Something new.".into())]);
}

#[test]
fn repaired_bytes_stay_amber_until_seen() {
    let wanted = wanted();
    let repaired = v1::Pool {
        repaired_bytes: 25 << 20,
        scan_function: "SCRUB".into(),
        scan_state: "FINISHED".into(),
        ..pool("ONLINE", "ONLINE")
    };
    let mark = SeenAlarm {
        node: "a".into(),
        subject: repaired.guid.clone(),
        at_ms: NOW - 1_000,
    };
    let look = Look {
        repairs_seen: vec![mark],
        ..look(Some(&wanted))
    };
    let ended = |scan_end_seen_ms| v1::Pool {
        scan_end_seen_ms,
        ..repaired.clone()
    };
    assert_eq!(seen(&node(vec![ended(NOW - 1_000)]), &look).0.light(), Green);
    let later = seen(&node(vec![ended(NOW - 999)]), &look).0.light();
    assert_eq!(later, Amber, "the pool came back with another repair");
}

#[test]
fn a_lost_disk_is_named_by_slot_and_serial() {
    let mut lost = pool("DEGRADED", "REMOVED");
    for (leg, slot) in lost.legs.iter_mut().zip(["A", "B"]) {
        leg.last_serial = std::mem::take(&mut leg.serial);
        leg.last_slot = slot.into();
        leg.path = "/dev/disk/by-id/nvme-x".into();
    }
    let wanted = wanted();
    let (_, alerts) = seen(&node(vec![lost]), &look(Some(&wanted)));
    let text = "pool data is DEGRADED: slot B S2 is REMOVED. Do NOT pull slot A S1";
    assert_eq!(alerts[0].text, text);
    assert!(
        alerts[0].next.starts_with("push slot B S2 back in: it heals itself"),
        "{alerts:?}"
    );
}

#[test]
fn old_facts_show_their_age() {
    let wanted = wanted();
    let mut old = node(vec![pool("DEGRADED", "REMOVED")]);
    old.facts_at_ms = NOW - 240_000;
    let (_, alerts) = seen(&old, &look(Some(&wanted)));
    assert!(alerts[0].text.ends_with("(as it was 4 min ago)"), "{alerts:?}");
    old.facts_at_ms = NOW - 3_600_000;
    let (_, alerts) = seen(&old, &look(Some(&wanted)));
    assert!(
        alerts.iter().any(|alert| alert.text.contains("last examined 1 h ago")),
        "{alerts:?}"
    );
}

#[test]
fn a_full_root_file_system_is_reported() {
    let wanted = wanted();
    for (available, light) in [(11, Green), (10, Amber), (4, Amber), (3, Red), (0, Red)] {
        let facts = v1::Facts {
            root_size_bytes: 100,
            root_available_bytes: available,
            pools: vec![pool("ONLINE", "ONLINE")],
            ..v1::Facts::default()
        };
        let full = Node {
            facts: Some(facts.encode_to_vec()),
            ..node(vec![])
        };
        assert_eq!(seen(&full, &look(Some(&wanted))).0.light(), light, "{available}");
    }
}

#[test]
fn an_unreadable_pool_is_amber() {
    let wanted = wanted();
    for (name, pools, word) in [
        ("theirs", vec![pool("ONLINE", "ONLINE")], "ok"),
        ("data", vec![], "unknown"),
    ] {
        let facts = v1::Facts {
            unreadable_pools: vec![v1::UnreadablePool {
                name: name.into(),
                reason: "a draid".into(),
            }],
            pools,
            ..v1::Facts::default()
        };
        let odd = Node {
            facts: Some(facts.encode_to_vec()),
            ..node(vec![])
        };
        let status = seen(&odd, &look(Some(&wanted))).0;
        assert_eq!((status.light(), status.pool.as_str()), (Amber, word), "{name}");
    }
}

#[test]
fn a_node_is_not_green_before_anything_was_applied() {
    let look = Look {
        applied: false,
        pools: vec![],
        ..look(None)
    };
    let (status, alerts) = seen(&node(vec![]), &look);
    assert_eq!((status.light(), status.pool.as_str()), (Amber, "none"));
    assert_eq!(alerts[0].next, "heeler plan");
    assert!(!summary(&[status], &alerts).contains("all is well"));
}

#[test]
fn every_imported_pool_is_judged() {
    let wanted = wanted();
    let other = |state: &str, second: &str| v1::Pool {
        name: "tank".into(),
        guid: "8".into(),
        ..pool(state, second)
    };
    for (tank, light, word, text) in [
        (other("ONLINE", "ONLINE"), Green, "ok", ""),
        (
            other("DEGRADED", "FAULTED"),
            Red,
            "DEGRADED",
            "pool tank is DEGRADED: S2 is FAULTED",
        ),
        (
            other("SUSPENDED", "UNAVAIL"),
            Red,
            "SUSPENDED",
            "pool tank is SUSPENDED",
        ),
    ] {
        for ours in [false, true] {
            let mut look = look(Some(&wanted));
            look.pools.push(Pool {
                guid: "8".into(),
                name: "tank".into(),
                ours,
                ..look.pools[0].clone()
            });
            let (status, alerts) = seen(&node(vec![pool("ONLINE", "ONLINE"), tank.clone()]), &look);
            assert_eq!(
                (status.light(), status.pool.as_str()),
                (light, word),
                "{ours} {alerts:?}"
            );
            let said = alerts.first().map_or("", |alert| alert.text.as_str());
            assert!(said.starts_with(text), "{said}");
        }
    }
    // A second pool of ours that is not imported.
    let mut look = look(Some(&wanted));
    look.pools.push(Pool {
        guid: "8".into(),
        name: "tank".into(),
        ..look.pools[0].clone()
    });
    let (status, alerts) = seen(&node(vec![pool("ONLINE", "ONLINE")]), &look);
    assert_eq!((status.light(), status.pool.as_str()), (Red, "gone"));
    assert_eq!(alerts[0].text, "pool tank is on record, but not imported");
}
