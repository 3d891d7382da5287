use super::*;

fn leg(guid: u32, state: &str) -> v1::Leg {
    v1::Leg {
        guid: guid.to_string(),
        state: state.into(),
        last_serial: format!("S{guid}"),
        last_slot: if guid == 1 { "A".into() } else { "B".into() },
        class: LegClass::Data.into(),
        ..v1::Leg::default()
    }
}

fn pool(state: &str, legs: Vec<v1::Leg>) -> v1::Pool {
    v1::Pool {
        name: "data".into(),
        guid: "7".into(),
        state: state.into(),
        scan_function: "NONE".into(),
        legs,
        ..v1::Pool::default()
    }
}

fn whole() -> v1::Pool {
    pool("ONLINE", vec![leg(1, "ONLINE"), leg(2, "ONLINE")])
}

fn scanned(function: &str, state: &str, start_ms: u64, end_ms: u64) -> v1::Pool {
    v1::Pool {
        scan_function: function.into(),
        scan_state: state.into(),
        scan_start_ms: start_ms,
        scan_end_ms: end_ms,
        ..whole()
    }
}

fn alarm(kind: AlarmKind, text: &str) -> PoolEvent {
    PoolEvent::Alarm(kind, text.to_owned())
}

fn note(text: &str) -> PoolEvent {
    PoolEvent::Note(text.to_owned())
}

#[test]
fn an_unchanged_pool_gives_no_event() {
    let degraded = pool("DEGRADED", vec![leg(1, "ONLINE"), leg(2, "REMOVED")]);
    let resilvered = scanned("RESILVER", "FINISHED", 5, 6);
    for same in [whole(), degraded, resilvered] {
        assert_eq!(changes(&same, &same), []);
    }
}

#[test]
fn loss_and_return_of_a_leg_are_reported_once() {
    let degraded = pool("DEGRADED", vec![leg(1, "ONLINE"), leg(2, "REMOVED")]);
    assert_eq!(
        changes(&whole(), &degraded),
        [alarm(
            AlarmKind::PoolState,
            "pool data is DEGRADED: slot B S2 is REMOVED"
        )]
    );
    assert_eq!(
        changes(&degraded, &whole()),
        [note("pool data is ONLINE again: slot B S2 is ONLINE")]
    );
}

#[test]
fn a_lost_cache_device_is_an_event() {
    let cache = |state: &str| v1::Leg {
        class: LegClass::Cache.into(),
        last_slot: String::new(),
        ..leg(3, state)
    };
    let with = |state: &str| pool("ONLINE", vec![leg(1, "ONLINE"), cache(state)]);
    assert_eq!(
        changes(&with("ONLINE"), &with("FAULTED")),
        [alarm(
            AlarmKind::PoolState,
            "pool data is ONLINE: cache device S3 is FAULTED"
        )]
    );
}

#[test]
fn a_resilver_has_start_and_end_events() {
    let (none, running, over) = (
        whole(),
        scanned("RESILVER", "SCANNING", 5, 0),
        scanned("RESILVER", "FINISHED", 5, 9),
    );
    let (began, ended) = ("a resilver of pool data began", "a resilver of pool data ended");
    assert_eq!(changes(&none, &running), [note(began)]);
    assert_eq!(changes(&running, &over), [note(ended)]);
    assert_eq!(changes(&none, &over), [note(began), note(ended)]);
    let again = scanned("RESILVER", "FINISHED", 20, 21);
    assert_eq!(changes(&over, &again), [note(began), note(ended)]);
    let scrubbed = scanned("SCRUB", "FINISHED", 30, 31);
    assert_eq!(changes(&over, &scrubbed), []);
}

#[test]
fn repaired_and_unrepaired_scrub_errors_are_alarms() {
    let clean = scanned("SCRUB", "FINISHED", 5, 9);
    let dirty = v1::Pool {
        repaired_bytes: 25 << 20,
        scan_errors: 2,
        ..scanned("SCRUB", "FINISHED", 20, 29)
    };
    assert_eq!(
        changes(&clean, &dirty),
        [
            alarm(AlarmKind::PoolRepaired, "a scrub of pool data repaired 25 MiB"),
            alarm(
                AlarmKind::PoolNotRepaired,
                "a scrub of pool data could not repair 2 errors"
            ),
        ]
    );
    assert_eq!(changes(&dirty, &dirty), []);
}

#[test]
fn errors_are_repeated_only_with_one_more_digit() {
    let with = |read_errors: u64| {
        let counting = v1::Leg {
            read_errors,
            ..leg(1, "ONLINE")
        };
        pool("ONLINE", vec![counting, leg(2, "ONLINE")])
    };
    for (was, now, expected) in [
        (0, 3, Some("pool data: slot A S1 has 3 read errors")),
        (3, 4, None),
        (9, 2750, Some("pool data: slot A S1 has 2750 read errors")),
        (2750, 9999, None),
    ] {
        let events = changes(&with(was), &with(now));
        assert_eq!(
            events,
            expected
                .map(|text| alarm(AlarmKind::DeviceErrors, text))
                .into_iter()
                .collect::<Vec<_>>(),
            "{was} {now}"
        );
    }
    assert_eq!(
        changes(&with(9), &with(0)),
        [note("pool data: the errors of slot A S1 were cleared")]
    );
}

#[test]
fn a_lost_leg_keeps_the_slot_of_its_disk() {
    let facts = |state: &str, disks: &[(&str, &str)]| v1::Facts {
        disks: disks
            .iter()
            .map(|(serial, slot)| v1::Disk {
                serial: (*serial).into(),
                slot: (*slot).into(),
                ..v1::Disk::default()
            })
            .collect(),
        pools: vec![pool(
            "ONLINE",
            vec![v1::Leg {
                serial: "S2".into(),
                last_serial: "a node's own word".into(),
                last_slot: "Z".into(),
                ..leg(2, state)
            }],
        )],
        ..v1::Facts::default()
    };
    let mut first = facts("ONLINE", &[("S2", "B")]);
    remember(&v1::Facts::default(), &mut first);
    let mut second = facts("REMOVED", &[("S1", "A")]);
    remember(&first, &mut second);
    let mut third = facts("REMOVED", &[("S1", "A")]);
    remember(&second, &mut third);
    for facts in [&first, &second, &third] {
        assert_eq!(leg_name(&facts.pools[0].legs[0]), "slot B S2");
    }
    // The disk is in another slot now.
    let mut moved = facts("ONLINE", &[("S2", "C")]);
    remember(&third, &mut moved);
    assert_eq!(leg_name(&moved.pools[0].legs[0]), "slot C S2");
}

#[test]
fn a_wrong_clock_on_a_node_hides_no_repair() {
    let facts = |scan_end_ms| v1::Facts {
        pools: vec![v1::Pool {
            guid: "7".into(),
            scan_end_ms,
            ..v1::Pool::default()
        }],
        ..v1::Facts::default()
    };
    let mut before = v1::Facts::default();
    // The clock of the node is an hour ahead, then an hour behind.
    for (end, now, seen) in [(4_000, 400, 400), (4_000, 500, 400), (100, 600, 600), (100, 700, 600)] {
        let mut new = facts(end);
        note_scan_ends(&before, &mut new, now);
        assert_eq!(new.pools[0].scan_end_seen_ms, seen, "{end} {now}");
        before = new;
    }
}
