use heeler_host::facts::LegFact;
use heeler_host::zpool::{Class, Unreadable};

use super::bench::{blocked, disks, fact, on_record, plan, serial, task};
use crate::engine::Plan;
use crate::storage::ensure_pool::pool_exists::observed::Observed;

fn seen(change: impl Fn(&mut heeler_host::facts::PoolFact)) -> Observed {
    let mut pool = fact("ONLINE", &["A1", "B1"]);
    change(&mut pool);
    Observed {
        imported: vec![pool],
        ..disks(Vec::new())
    }
}

#[test]
fn an_imported_pool_is_enough_also_when_degraded() {
    for task in [task(), on_record()] {
        assert_eq!(plan(&task, &seen(|_| {})), Plan::Satisfied);
        assert_eq!(
            plan(&task, &seen(|pool| pool.state = "DEGRADED".into())),
            Plan::Satisfied
        );
    }
    let leg_gone = Observed {
        imported: vec![fact("DEGRADED", &["A1", "/dev/disk/by-id/nvme-M_B1-part1"])],
        ..disks(Vec::new())
    };
    assert_eq!(plan(&on_record(), &leg_gone), Plan::Satisfied);
}

#[test]
fn a_name_does_not_identify_the_recorded_pool() {
    let stopped = blocked(plan(&on_record(), &seen(|pool| pool.guid = 8)));
    assert!(
        stopped.why.contains("on record") && stopped.why.contains('7'),
        "{stopped:?}"
    );
}

#[test]
fn a_pool_with_another_comment_is_foreign() {
    let theirs = |pool: &mut heeler_host::facts::PoolFact| pool.comment = "heeler:home/another".to_owned();
    let stopped = blocked(plan(&task(), &seen(theirs)));
    assert!(stopped.why.contains("somebody else's"), "{stopped:?}");
    assert_eq!(plan(&on_record(), &seen(|pool| pool.comment.clear())), Plan::Satisfied);
}

#[test]
fn differing_legs_are_named_exactly() {
    let mut task = on_record();
    task.pool.serials = vec![serial("A1"), serial("C1")];
    let stopped = blocked(plan(&task, &seen(|_| {})));
    assert!(
        stopped.found.contains("the pool has B1; heeler.toml says C1"),
        "{stopped:?}"
    );
    assert_eq!(stopped.advice(), r#"in heeler.toml: disks = ["A1", "B1"]"#);
}

#[test]
fn an_unusable_pool_stops_the_task() {
    for state in ["SUSPENDED", "FAULTED", "UNAVAIL"] {
        let stopped = blocked(plan(&on_record(), &seen(|pool| pool.state = state.into())));
        assert!(stopped.found.contains(state), "{stopped:?}");
    }
}

#[test]
fn the_pool_on_record_under_another_name_is_not_renamed() {
    let stopped = blocked(plan(&on_record(), &seen(|pool| pool.name = "tank".into())));
    assert!(stopped.advice().contains("tank"), "{stopped:?}");
}

fn extra(serial: &str, class: Class) -> LegFact {
    LegFact {
        serial: serial.into(),
        state: "ONLINE".into(),
        class,
        top: "mirror-0".into(),
        ..LegFact::default()
    }
}

#[test]
fn a_lost_legs_alias_never_changes_heeler_toml() {
    for path in ["nvme-eui.0025385b71b0ab12-part1", "nvme-M_B1_1-part1"] {
        let pool = fact("DEGRADED", &["A1", &format!("/dev/disk/by-id/{path}")]);
        let seen = Observed {
            imported: vec![pool],
            ..disks(Vec::new())
        };
        for task in [task(), on_record()] {
            assert_eq!(plan(&task, &seen), Plan::Satisfied, "{path}");
        }
    }
}

#[test]
fn only_data_legs_belong_in_heeler_toml() {
    let seen = seen(|pool| {
        let classes = [Class::Log, Class::Cache, Class::Spare, Class::Special];
        pool.legs.extend(classes.map(|class| extra("X1", class)));
    });
    assert_eq!(plan(&on_record(), &seen), Plan::Satisfied);
}

#[test]
fn a_running_replacement_accepts_both_disks() {
    let seen = seen(|pool| {
        pool.legs[1].place = "replacing-1".into();
        let mut new = extra("C1", Class::Data);
        new.place = "replacing-1".into();
        pool.legs.push(new);
    });
    let mut task = on_record();
    assert_eq!(plan(&task, &seen), Plan::Satisfied);
    task.pool.serials[1] = serial("C1");
    assert_eq!(plan(&task, &seen), Plan::Satisfied);
}

#[test]
fn an_unreadable_pool_of_ours_stops_the_task() {
    let seen = Observed {
        unreadable: vec![Unreadable {
            name: "data".into(),
            guid: 7,
            reason: "no state".into(),
        }],
        ..disks(Vec::new())
    };
    for task in [task(), on_record()] {
        assert!(blocked(plan(&task, &seen)).found.contains("no state"));
    }
}

#[test]
fn an_unmirrored_disk_blocks_with_advice_that_works() {
    let lone = |serial: &str| LegFact {
        top: String::new(),
        guid: 9,
        ..extra(serial, Class::Data)
    };
    let detached = seen(|pool| pool.legs = vec![lone("A1")]);
    let stopped = blocked(plan(&on_record(), &detached));
    assert!(stopped.found.contains("A1 is its only disk"), "{stopped:?}");
    assert!(
        stopped
            .next
            .starts_with("on the node: zpool attach data 9 /dev/disk/by-id/NAME, with the NAME of B1"),
        "{stopped:?}"
    );
    // A disk was added beside the mirror, named in heeler.toml or not.
    let striped = seen(|pool| pool.legs.push(lone("C1")));
    let mut named = on_record();
    named.pool.serials.push(serial("C1"));
    for task in [on_record(), named] {
        let stopped = blocked(plan(&task, &striped));
        assert!(stopped.found.contains("C1 is a vdev of its own"), "{stopped:?}");
        assert!(
            stopped.next.starts_with("on the node: zpool remove data 9"),
            "{stopped:?}"
        );
    }
    // A special device alone: the pool is lost with it.
    let special = seen(|pool| {
        pool.legs.push(LegFact {
            class: Class::Special,
            ..lone("C1")
        });
    });
    let stopped = blocked(plan(&on_record(), &special));
    assert!(stopped.found.contains("C1 is a vdev of its own"), "{stopped:?}");
    // Two mirrors lose nothing with one disk.
    let twice = seen(|pool| {
        pool.legs.extend(["C1", "D1"].map(|one| LegFact {
            top: "mirror-1".into(),
            ..extra(one, Class::Data)
        }));
    });
    let mut four = on_record();
    four.pool.serials.extend([serial("C1"), serial("D1")]);
    assert_eq!(plan(&four, &twice), Plan::Satisfied);
}
