//! Extreme numbers in messages: the task is refused, or planned without an overflow.

use heeler_proto::v1::{self, task::Kind};
use heeler_proto::{Invalid, Task};

use crate::life::{A, Life, ensure, spec};

fn keep(set: impl FnOnce(&mut v1::Keep)) -> v1::Task {
    // Lists all fields, so that a new field fails to compile here.
    let mut keep = v1::Keep {
        frequent: 4,
        frequent_minutes: 15,
        hourly: 24,
        daily: 14,
        weekly: 8,
        monthly: 3,
        yearly: 1,
    };
    set(&mut keep);
    let policy = v1::SnapshotPolicy {
        dataset: "data/pve-files".into(),
        keep: Some(keep),
    };
    let kind = Some(Kind::KeepSnapshots(v1::KeepSnapshots { policies: vec![policy] }));
    v1::Task { kind }
}

fn scrubs(every: v1::ScrubEvery, day: u32, hour: u32) -> v1::Task {
    let kind = Some(Kind::KeepScrubs(v1::KeepScrubs {
        pool: "data".into(),
        every: every.into(),
        day,
        hour,
    }));
    v1::Task { kind }
}

fn arc(arc_max_bytes: u64) -> v1::Task {
    let Some(Kind::EnsurePool(mut task)) = v1::Task::from(ensure(spec())).kind else {
        panic!("another task");
    };
    task.pool.as_mut().unwrap().arc_max_bytes = arc_max_bytes;
    let kind = Some(Kind::EnsurePool(task));
    v1::Task { kind }
}

fn erase() -> v1::Task {
    crate::life::erase(A).into()
}

fn backplane(address: &str) -> v1::Task {
    let kind = Some(Kind::KeepBackplane(v1::KeepBackplane {
        address: address.into(),
        mac: String::new(),
        renderer: v1::Renderer::Netplan.into(),
    }));
    v1::Task { kind }
}

/// A task, and whether it may be accepted.
fn table() -> Vec<(v1::Task, bool)> {
    let mut table = vec![
        (keep(|_| ()), true),
        (erase(), true),
        (backplane("10.10.99.50/24"), true),
        (backplane("10.10.99.50/255"), false),
        (backplane("10.10.99.50/4294967295"), false),
        (keep(|keep| keep.frequent_minutes = 0), false),
    ];
    for number in [u32::MAX, u32::MAX - 1, 10_001] {
        let counts: [fn(&mut v1::Keep) -> &mut u32; 7] = [
            |keep| &mut keep.frequent,
            |keep| &mut keep.frequent_minutes,
            |keep| &mut keep.hourly,
            |keep| &mut keep.daily,
            |keep| &mut keep.weekly,
            |keep| &mut keep.monthly,
            |keep| &mut keep.yearly,
        ];
        table.extend(counts.map(|count| (keep(|keep| *count(keep) = number), false)));
        for every in [v1::ScrubEvery::Month, v1::ScrubEvery::Week] {
            table.push((scrubs(every, number, 3), false));
            table.push((scrubs(every, 1, number), false));
        }
        table.push((scrubs(v1::ScrubEvery::Never, number, number), true));
    }
    table.push((scrubs(v1::ScrubEvery::Month, 0, 0), false));
    table.extend([0, 1, u64::MAX - 1, u64::MAX].map(|bytes| (arc(bytes), true)));
    table
}

#[tokio::test]
async fn extreme_numbers_are_refused_or_planned_without_overflow() {
    for (wire, fits) in table() {
        let task: Result<Task, Invalid> = wire.clone().try_into();
        assert_eq!(task.is_ok(), fits, "{wire:?}");
        let Ok(task) = task else { continue };
        for life in [Life::blank(), Life::with_pool().await] {
            assert!(!life.preview(&task).await.is_empty(), "{wire:?}");
        }
    }
}
