use super::*;

pub(in crate::snapshot) const HOUR: u64 = 3600;
/// Sunday, 1 March 2026, 12:34:56.
pub(in crate::snapshot) const NOW: u64 = 1_772_368_496;

pub(in crate::snapshot) fn foreign(txg: u64, created_s: u64) -> Snapshot {
    Snapshot {
        name: format!("by-hand-{txg}").into(),
        guid: txg,
        createtxg: txg,
        created_s,
        used_bytes: 0,
        holds: 0,
        clones: Vec::new(),
        mark: None,
    }
}

pub(in crate::snapshot) fn ours(txg: u64, created_s: u64, mark: &str) -> Snapshot {
    Snapshot {
        name: format!("heeler_{txg}").into(),
        mark: Some(mark.into()),
        ..foreign(txg, created_s)
    }
}

/// One an hour, the last one an hour ago.
fn hourly(count: u64) -> Vec<Snapshot> {
    (1..=count)
        .map(|txg| ours(txg, NOW - (count - txg + 1) * HOUR, "hourly"))
        .collect()
}

fn keep(hourly: u32, daily: u32) -> Keep {
    Keep::new([0, hourly, daily, 0, 0, 0], 0).unwrap()
}

fn pruned(snapshots: &[Snapshot], keep: Option<&Keep>) -> Vec<u64> {
    let decisions = decisions(snapshots, keep, &[], NOW);
    let all = snapshots.iter().zip(decisions);
    all.filter(|(_, decision)| decision.prunes())
        .map(|(one, _)| one.guid)
        .collect()
}

#[test]
fn each_class_keeps_its_newest() {
    assert_eq!(pruned(&hourly(10), Some(&keep(6, 0))), [1, 2, 3, 4]);
    assert_eq!(pruned(&hourly(6), Some(&keep(6, 0))), [0; 0]);
    let mut served_twice = hourly(10);
    served_twice[1].mark = Some("hourly,daily".into());
    assert_eq!(pruned(&served_twice, Some(&keep(6, 1))), [1, 3, 4]);
    assert_eq!(pruned(&served_twice, Some(&keep(6, 0))), [1, 2, 3, 4]);
}

#[test]
fn counts_and_recent_snapshots_are_both_kept() {
    let old: Vec<Snapshot> = (1..=4).map(|txg| ours(txg, txg, "hourly")).collect();
    assert_eq!(pruned(&old, Some(&keep(6, 0))), [0; 0]);
    let many: Vec<Snapshot> = (1..=100).map(|txg| ours(txg, NOW - 200 + txg, "hourly")).collect();
    assert_eq!(pruned(&many, Some(&keep(6, 0))), [0; 0]);
    let said = decisions(&many, Some(&keep(6, 0)), &[], NOW)[0].to_string();
    assert!(said.starts_with("hourly, not old enough until 20260301T18"), "{said}");
}

#[test]
fn snapshots_from_a_wrong_clock_count_by_creation_order() {
    let mut snapshots = hourly(10);
    for (txg, snapshot) in (0..).zip(&mut snapshots[7..]) {
        snapshot.created_s = 1000 + txg;
    }
    assert_eq!(pruned(&snapshots, Some(&keep(3, 0))), [1, 2, 3, 4, 5, 6, 7]);
    snapshots[0].created_s = NOW + 365 * 24 * HOUR;
    assert_eq!(pruned(&snapshots, Some(&keep(3, 0))), [2, 3, 4, 5, 6, 7]);
}

#[test]
fn foreign_held_cloned_manual_and_renamed_snapshots_are_kept() {
    let mut snapshots = hourly(12);
    snapshots[0].holds = 1;
    snapshots[1].clones = vec!["data/clone".into()];
    snapshots[2].mark = None;
    snapshots[3].mark = Some("manual".into());
    snapshots[4].mark = Some("hourly,decennial".into());
    snapshots[5].name = "before-the-upgrade".into();
    assert_eq!(pruned(&snapshots, Some(&keep(1, 0))), [7, 8, 9, 10, 11]);
    let decisions = decisions(&snapshots, Some(&keep(1, 0)), &[8], NOW);
    assert_eq!(decisions[7], PruneDecision::Keep(Why::Common));
    let said: Vec<String> = decisions[..6].iter().map(ToString::to_string).collect();
    let expected = [
        "held by 1 tag",
        "1 clone on it",
        "not made by heeler",
        "made by heeler snapshot create",
        "marked by a later heeler",
        "renamed by a person",
    ];
    assert_eq!(said, expected);
}

#[test]
fn the_newest_stays_whatever_the_counts_say() {
    let none = Keep::default();
    assert_eq!(pruned(&hourly(3), Some(&none)), [1, 2]);
    let mut with_a_foreign_one = hourly(3);
    with_a_foreign_one.push(foreign(4, NOW - 60));
    assert_eq!(pruned(&with_a_foreign_one, Some(&none)), [1, 2]);
}

#[test]
fn without_a_policy_nothing_is_pruned() {
    assert_eq!(pruned(&hourly(100), None), [0; 0]);
}

#[test]
fn a_lower_count_lists_all_its_victims() {
    let snapshots = hourly(10);
    let names = |before: Option<&Keep>, after: &Keep| guids(&lowered(&snapshots, before, after));
    assert_eq!(names(Some(&keep(8, 0)), &keep(3, 0)), [3, 4, 5, 6, 7]);
    assert_eq!(names(Some(&keep(3, 0)), &keep(8, 0)), [0; 0]);
    assert_eq!(names(None, &keep(8, 0)), [1, 2]);
}

fn guids(lowered: &Lowered<'_>) -> Vec<u64> {
    lowered.victims.iter().map(|one| one.guid).collect()
}

/// The victims, and whether a consent is needed.
fn asked_of(snapshots: &[Snapshot], before: [u32; 6], after: [u32; 6], minutes: (u32, u32)) -> (Vec<u64>, bool) {
    let (before, after) = (
        Keep::new(before, minutes.0).unwrap(),
        Keep::new(after, minutes.1).unwrap(),
    );
    let lowered = lowered(snapshots, Some(&before), &after);
    (guids(&lowered), lowered.any)
}

#[test]
fn victims_include_snapshots_kept_by_a_shorter_class() {
    let all = "frequent,hourly,daily,weekly,monthly,yearly";
    let before = [4, 24, 14, 8, 6, 1];
    let asked = |snapshots: &[Snapshot], after| asked_of(snapshots, before, after, (15, 15));
    for snapshots in [
        // The newest too: it is the newest for an hour only.
        vec![ours(1, NOW - HOUR, all)],
        vec![ours(1, NOW - 2 * HOUR, all), ours(2, NOW - HOUR, "hourly")],
    ] {
        assert_eq!(asked(&snapshots, [4, 24, 14, 8, 1, 0]), (vec![1], true));
        assert_eq!(
            asked(&snapshots, [4, 24, 14, 8, 1, 1]),
            (vec![], false),
            "the year covers it"
        );
        assert_eq!(
            asked(&snapshots, [4, 24, 14, 8, 12, 0]),
            (vec![], false),
            "twelve months cover it"
        );
        assert_eq!(asked(&snapshots, [4, 24, 14, 8, 11, 0]), (vec![1], true));
    }
    // It keeps its place, but for a year instead of five: needs a consent, and is not a victim.
    let yearly = [ours(1, NOW - HOUR, all)];
    assert_eq!(
        asked_of(&yearly, [0, 0, 0, 0, 0, 5], [0, 0, 0, 0, 0, 1], (0, 0)),
        (vec![], true)
    );
}

#[test]
fn a_shorter_period_affects_its_whole_class() {
    let frequent: Vec<Snapshot> = (1..=4)
        .map(|txg| ours(txg, NOW - (5 - txg) * 1800, "frequent"))
        .collect();
    let four = [4, 0, 0, 0, 0, 0];
    assert_eq!(asked_of(&frequent, four, four, (30, 1)), (vec![1, 2, 3, 4], true));
    assert_eq!(asked_of(&frequent, four, four, (1, 30)), (vec![], false));
    let hours: Vec<Snapshot> = (1..=4)
        .map(|txg| ours(txg, NOW - (5 - txg) * 1800, "frequent,hourly"))
        .collect();
    let and_a_day = [4, 24, 0, 0, 0, 0];
    assert_eq!(
        asked_of(&hours, and_a_day, and_a_day, (30, 1)),
        (vec![], false),
        "the hours cover it"
    );
}

#[test]
fn foreign_held_cloned_and_manual_snapshots_are_no_victims() {
    let mut snapshots = hourly(12);
    snapshots[0].holds = 1;
    snapshots[1].clones = vec!["data/clone".into()];
    snapshots[2].mark = None;
    snapshots[3].mark = Some("manual".into());
    snapshots[4].mark = Some("hourly,decennial".into());
    snapshots[5].name = "before-the-upgrade".into();
    assert_eq!(
        asked_of(&snapshots, [0, 24, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0], (0, 0)),
        (vec![7, 8, 9, 10, 11], true)
    );
}
