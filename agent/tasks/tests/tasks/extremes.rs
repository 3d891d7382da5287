//! Extreme numbers in specs: the task is refused, or planned without an overflow.

use heeler_proto::{Task, v1};

use crate::life::{A, Life, ensure, erase, spec};

/// A spec with one value replaced.
fn with(task: Task, path: &str, value: &str) -> v1::Task {
    let wire = v1::Task::from(task);
    let mut spec: serde_json::Value = serde_json::from_slice(&wire.spec).unwrap();
    *spec.pointer_mut(path).unwrap() = serde_json::from_str(value).unwrap();
    v1::Task {
        spec: serde_json::to_vec(&spec).unwrap(),
        ..wire
    }
}

fn read(kind: &str, spec: &str) -> Task {
    Task::read(kind, spec.as_bytes()).unwrap()
}

fn keep() -> Task {
    read(
        "schedule snapshots",
        r#"{"policies":[{"dataset":"data/pve-files","keep":{"counts":[4,24,14,8,3,1],"frequent_minutes":15}}]}"#,
    )
}

fn scrubs(every: &str) -> Task {
    read(
        "schedule scrubs",
        &format!(r#"{{"pool":"data","every":"{every}","day":1,"hour":3}}"#),
    )
}

fn backplane() -> Task {
    read(
        "set up backplane",
        r#"{"address":"10.10.99.50/24","mac":null,"renderer":"Netplan"}"#,
    )
}

/// A task, and whether it may be accepted.
fn table() -> Vec<(v1::Task, bool)> {
    let minutes = "/policies/0/keep/frequent_minutes";
    let mut table = vec![
        (keep().into(), true),
        (erase(A).into(), true),
        (backplane().into(), true),
        (with(backplane(), "/address", r#""10.10.99.50/255""#), false),
        (with(backplane(), "/address", r#""10.10.99.50/4294967295""#), false),
        (with(keep(), minutes, "0"), false),
        (with(scrubs("Month"), "/day", "0"), false),
        (with(ensure(spec()), "/pool/arc_max_bytes", "0"), false),
    ];
    for number in ["4294967296", "4294967295", "4294967294", "10001", "-1", "1.5", "1e3"] {
        for place in 0..6 {
            table.push((with(keep(), &format!("/policies/0/keep/counts/{place}"), number), false));
        }
        table.push((with(keep(), minutes, number), false));
        for every in ["Month", "Week"] {
            table.push((with(scrubs(every), "/day", number), false));
            table.push((with(scrubs(every), "/hour", number), false));
        }
    }
    table.push((with(scrubs("Never"), "/day", "4294967295"), true));
    for bytes in ["1", "18446744073709551614", "18446744073709551615"] {
        table.push((with(ensure(spec()), "/pool/arc_max_bytes", bytes), true));
    }
    table
}

#[tokio::test]
async fn extreme_numbers_are_refused_or_planned_without_overflow() {
    for (wire, fits) in table() {
        let shown = String::from_utf8_lossy(&wire.spec).into_owned();
        let task = Task::try_from(wire);
        assert_eq!(task.is_ok(), fits, "{shown}");
        let Ok(task) = task else { continue };
        for life in [Life::blank(), Life::with_pool().await] {
            assert!(!life.preview(&task).await.is_empty(), "{shown}");
        }
    }
}
