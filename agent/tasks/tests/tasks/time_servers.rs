//! The time servers that the node's clock follows.

use heeler_host::time_servers::Follower;
use heeler_host::{System as _, UnitAction};
use heeler_proto::Task;
use heeler_tasks::engine::Outcome;

use crate::every_point::at_every_point;
use crate::life::{Life, blocked, pi};

const UNIT: &str = "systemd-timesyncd.service";
const OURS: &str = "/etc/systemd/timesyncd.conf.d/heeler.conf";

fn task(servers: &str) -> Task {
    Task::read("ensure time", format!(r#"{{"servers":{servers}}}"#).as_bytes()).unwrap()
}

async fn node() -> Life {
    Life::of(pi().build())
}

async fn used(life: &Life) -> Vec<String> {
    Follower::Timesyncd.servers(&life.machine).await.unwrap()
}

#[tokio::test]
async fn the_servers_are_used_wherever_it_is_interrupted() {
    at_every_point(
        node,
        &task(r#"["10.10.80.1","time.example.lan"]"#),
        async |life, outcome, at| {
            assert_eq!(outcome, Outcome::Done, "{at}");
            for boots in 0..2 {
                assert_eq!(used(life).await, ["10.10.80.1", "time.example.lan"], "{at} {boots}");
                life.machine.boot();
            }
        },
    )
    .await;
}

#[tokio::test]
async fn a_node_that_follows_its_servers_is_not_changed() {
    let mut life = node().await;
    let task = task(r#"["10.10.80.1"]"#);
    assert_eq!(life.apply(&task).await, Outcome::Done);
    let before = life.changes().len();
    assert_eq!(life.apply(&task).await, Outcome::Done);
    assert_eq!(life.changes().len(), before);
}

#[tokio::test]
async fn a_persons_servers_stay() {
    let mut life = node().await;
    let (mine, text) = (
        "/etc/systemd/timesyncd.conf.d/10-mine.conf",
        b"[Time]\nNTP=10.10.80.9\n",
    );
    life.machine.put_file(mine, text).unwrap();
    assert_eq!(life.apply(&task(r#"["10.10.80.1"]"#)).await, Outcome::Done);
    assert_eq!(used(&life).await, ["10.10.80.9", "10.10.80.1"]);
    assert_eq!(life.machine.file(mine).unwrap(), text);
}

#[tokio::test]
async fn chrony_is_asked_where_it_is_installed() {
    at_every_point(
        with_chrony,
        &task(r#"["10.10.80.1","10.10.80.2"]"#),
        async |life, outcome, at| {
            assert_eq!(outcome, Outcome::Done, "{at}");
            let used = Follower::Chrony.servers(&life.machine).await.unwrap();
            assert_eq!(used, ["10.10.80.1", "10.10.80.2"], "{at}");
            assert!(life.machine.file(OURS).is_none(), "{at}");
        },
    )
    .await;
}

async fn with_chrony() -> Life {
    let life = node().await;
    life.machine.install_chrony();
    life
}

#[tokio::test]
async fn a_stopped_service_is_started_for_good() {
    let mut life = node().await;
    let task = task(r#"["10.10.80.1"]"#);
    assert_eq!(life.apply(&task).await, Outcome::Done);
    for action in [UnitAction::Stop, UnitAction::Disable] {
        life.machine.unit(UNIT, action).await.unwrap();
    }
    assert_eq!(life.apply(&task).await, Outcome::Done);
    let unit = life.machine.unit_state(UNIT).await.unwrap();
    assert_eq!((unit.active.as_str(), unit.enabled.as_str()), ("active", "enabled"));
}

#[tokio::test]
async fn a_silent_time_server_stops_the_task() {
    let mut life = node().await;
    life.machine.set_clock_synchronised(false);
    let task = task(r#"["10.10.80.1"]"#);
    for _ in 0..2 {
        let (found, _, next) = blocked(life.apply(&task).await);
        assert!(found.contains("follows none of 10.10.80.1"), "{found}");
        assert!(next.contains("timedatectl timesync-status"), "{next}");
    }
    assert!(life.machine.file(OURS).is_some());
    life.machine.set_clock_synchronised(true);
    assert_eq!(life.apply(&task).await, Outcome::Done);
}
