//! The node's time zone.

use heeler_host::timedatectl;
use heeler_proto::Task;
use heeler_tasks::engine::Outcome;

use crate::every_point::at_every_point;
use crate::life::{Life, pi};

fn zone(name: &str) -> Task {
    Task::read("ensure timezone", format!(r#"{{"zone":"{name}"}}"#).as_bytes()).unwrap()
}

async fn node() -> Life {
    Life::of(pi().build())
}

#[tokio::test]
async fn the_time_zone_is_set_wherever_it_is_interrupted() {
    let task = zone("Australia/Brisbane");
    at_every_point(node, &task, async |life, outcome, at| {
        assert_eq!(outcome, Outcome::Done, "{at}");
        assert_eq!(
            timedatectl::timezone(&life.machine).await.unwrap(),
            "Australia/Brisbane",
            "{at}"
        );
    })
    .await;
}

#[tokio::test]
async fn the_zone_in_use_changes_nothing() {
    let mut life = node().await;
    assert_eq!(life.apply(&zone("Etc/UTC")).await, Outcome::Done);
    assert_eq!(life.changes(), [""; 0]);
}

#[tokio::test]
async fn a_zone_that_the_node_lacks_fails_with_its_message() {
    let outcome = node().await.apply(&zone("Antarctica/Troll")).await;
    let Outcome::Failed { reason, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert!(
        reason.contains("not installed time zone 'Antarctica/Troll'"),
        "{reason}"
    );
}
