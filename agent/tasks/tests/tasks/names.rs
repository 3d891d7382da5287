//! The node's host name and /etc/hosts.

use std::path::Path;

use heeler_host::{System as _, hostname};
use heeler_proto::Task;
use heeler_tasks::engine::Outcome;

use crate::every_point::at_every_point;
use crate::life::{Life, blocked, pi};

const HOSTS: &str = "/etc/hosts";
const OURS: &str =
    "# heeler begin names\n10.10.80.50 pi5l.example.lan pi5l\n10.10.80.51 pi5r.example.lan pi5r\n# heeler end names\n";
const BOOTED: &str = "127.0.0.1 localhost\n\n::1 localhost ip6-localhost ip6-loopback\n";

fn task(name: &str) -> Task {
    let hosts = r#"[{"name":"pi5l","address":"10.10.80.50"},{"name":"pi5r","address":"10.10.80.51"}]"#;
    let spec = format!(r#"{{"name":"{name}","domain":"example.lan","hosts":{hosts}}}"#);
    Task::read("ensure names", spec.as_bytes()).unwrap()
}

async fn node() -> Life {
    Life::of(
        heeler_host::sim::Machine::builder("raspberrypi")
            .memory(1 << 33)
            .build(),
    )
}

fn hosts(life: &Life) -> String {
    String::from_utf8(life.machine.file(HOSTS).unwrap()).unwrap()
}

async fn names(life: &Life) -> [String; 2] {
    hostname::now_and_next(&life.machine).await.unwrap()
}

#[tokio::test]
async fn the_names_are_set_wherever_it_is_interrupted() {
    at_every_point(node, &task("pi5l"), async |life, outcome, at| {
        assert_eq!(outcome, Outcome::Done, "{at}");
        for boots in 0..2 {
            assert_eq!(names(life).await, ["pi5l", "pi5l"], "{at} {boots}");
            let other = "127.0.1.1 raspberrypi raspberrypi\n";
            let text = hosts(life).replace(other, "");
            assert_eq!(text, format!("{BOOTED}{OURS}"), "{at} {boots}");
            life.machine.boot();
        }
    })
    .await;
}

#[tokio::test]
async fn a_node_with_its_names_is_not_changed() {
    let mut life = node().await;
    assert_eq!(life.apply(&task("pi5l")).await, Outcome::Done);
    let before = life.changes().len();
    assert_eq!(life.apply(&task("pi5l")).await, Outcome::Done);
    assert_eq!(life.changes().len(), before);
}

#[tokio::test]
async fn the_own_loopback_line_goes_and_a_persons_lines_stay() {
    let mut life = Life::of(pi().build());
    let mine = "# mine\n10.10.80.1 router\n10.10.80.51 pi5r # the same\n";
    let text = format!("127.0.1.1 pi5l.local pi5l\n{mine}127.0.1.1\tpi5l\n127.0.1.2 pi5lx\n");
    life.machine.put_file(HOSTS, text.as_bytes()).unwrap();
    assert_eq!(life.apply(&task("pi5l")).await, Outcome::Done);
    assert_eq!(hosts(&life), format!("{mine}127.0.1.2 pi5lx\n{OURS}"));
}

#[tokio::test]
async fn a_line_that_contradicts_heeler_toml_blocks() {
    for line in [
        "10.10.80.99 pi5r",
        "10.10.80.99 router pi5l.example.lan",
        "127.0.0.1 localhost pi5l",
        "10.10.80.50 pi5l pi5l.example.lan",
    ] {
        let mut life = Life::of(pi().build());
        life.machine.put_file(HOSTS, format!("{line}\n").as_bytes()).unwrap();
        let (found, _, next) = blocked(life.apply(&task("pi5l")).await);
        assert!(found.contains(line), "{found}");
        assert!(next.contains("remove that line"), "{next}");
        assert_eq!(hosts(&life), format!("{line}\n"));
    }
}

#[tokio::test]
async fn a_node_with_proxmox_is_not_renamed() {
    let mut life = node().await;
    life.machine
        .put_file("/var/lib/pve-cluster/config.db", b"SQLite")
        .unwrap();
    let (found, _, next) = blocked(life.apply(&task("pi5l")).await);
    assert!(found.contains("\"raspberrypi\""), "{found}");
    assert!(next.contains("heeler node remove pi5l"), "{next}");
    assert_eq!(names(&life).await, ["raspberrypi", "raspberrypi"]);
}

#[tokio::test]
async fn the_next_boot_must_not_lose_the_name() {
    let mut life = Life::of(pi().build());
    life.machine
        .put_file("/var/lib/pve-cluster/config.db", b"SQLite")
        .unwrap();
    life.machine.put_file("/etc/hostname", b"raspberrypi\n").unwrap();
    assert_eq!(life.apply(&task("pi5l")).await, Outcome::Done);
    assert_eq!(names(&life).await, ["pi5l", "pi5l"]);
}

#[tokio::test]
async fn broken_markers_are_left_to_a_person() {
    let mut life = Life::of(pi().build());
    life.machine.put_file(HOSTS, b"# heeler begin names\n").unwrap();
    let (found, ..) = blocked(life.apply(&task("pi5l")).await);
    assert!(found.contains("broken markers"), "{found}");
}

#[tokio::test]
async fn a_card_without_cloud_init_needs_no_switch() {
    let mut life = Life::of(pi().build());
    life.machine.remove(Path::new("/etc/cloud/cloud.cfg")).await.unwrap();
    assert_eq!(life.apply(&task("pi5l")).await, Outcome::Done);
    assert!(life.machine.file("/etc/cloud/cloud-init.disabled").is_none());
}

#[tokio::test]
async fn nothing_is_named_while_cloud_init_sets_the_node_up() {
    let mut life = node().await;
    life.machine.put_file("/run/cloud-init/enabled", b"").unwrap();
    let outcome = life.apply(&task("pi5l")).await;
    let Outcome::Failed { step, reason } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!((step.as_str(), life.changes().len()), ("NamesLeftAlone", 0));
    assert!(reason.contains("cloud-init still sets this node up"), "{reason}");
    life.machine.put_file("/run/cloud-init/result.json", b"{}").unwrap();
    assert_eq!(life.apply(&task("pi5l")).await, Outcome::Done);
}
