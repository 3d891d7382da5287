//! Where the node gets Proxmox's packages from.

use std::path::Path;

use heeler_host::System as _;
use heeler_host::sim::{Repository, Server};
use heeler_proto::v1::StepOutcome;
use heeler_proto::{EnsureRepositories, Fingerprint, PublicKey, RepositoryUri, RepositoryWord, Task};
use heeler_tasks::engine::Outcome;

use crate::every_point::at_every_point;
use crate::life::{Life, blocked, pi};

const SOURCE: &str = "/etc/apt/sources.list.d/heeler-proxmox.sources";
const PINS: &str = "/etc/apt/preferences.d/heeler-proxmox";
const ENTERPRISE: &str = "/etc/apt/sources.list.d/pve-enterprise.sources";
const LIST: &str =
    "/var/lib/apt/lists/download.proxmox.com_debian_pve_dists_trixie_pve-no-subscription_binary-arm64_Packages";

fn key(body: &str) -> String {
    format!("{}{body}\n{}", PublicKey::BEGIN, PublicKey::END)
}

fn spec() -> EnsureRepositories {
    EnsureRepositories {
        uri: RepositoryUri::new("http://download.proxmox.com/debian/pve").unwrap(),
        suite: RepositoryWord::new("trixie").unwrap(),
        components: vec![RepositoryWord::new("pve-no-subscription").unwrap()],
        key: Fingerprint::new("24B30F06ECC1836A4E5EFECBA7BCD1420BFE778E").unwrap(),
        public_key: PublicKey::new(&key("good")).unwrap(),
    }
}

fn task() -> Task {
    Task::EnsureRepositories(spec())
}

fn proxmox() -> Repository {
    Repository::proxmox(&key("good"))
}

async fn node() -> Life {
    let life = Life::of(pi().build());
    life.machine.put_repository(proxmox());
    life
}

async fn with(repository: Repository) -> Life {
    let life = node().await;
    life.machine.put_repository(repository);
    life
}

fn text(life: &Life, path: &str) -> String {
    String::from_utf8(life.machine.file(path).unwrap_or_default()).unwrap()
}

/// What apt would install of a package.
fn candidate(life: &Life, name: &str) -> String {
    let printed = life.machine.by_hand("apt-cache", &["policy", name]).stdout;
    let line = printed.lines().find_map(|line| line.trim().strip_prefix("Candidate: "));
    line.unwrap_or_default().to_owned()
}

#[tokio::test]
async fn repository_and_pins_are_there_wherever_it_is_interrupted() {
    at_every_point(node, &task(), async |life, outcome, at| {
        assert_eq!(outcome, Outcome::Done, "{at}");
        assert!(text(life, LIST).contains("pve-manager 9.2.18"), "{at}");
        assert!(
            text(life, SOURCE).contains("Signed-By: /etc/apt/keyrings/heeler-proxmox.asc"),
            "{at}"
        );
        assert!(text(life, ENTERPRISE).ends_with("Enabled: no\n"), "{at}");
        assert_eq!(text(life, "/etc/apt/keyrings/heeler-proxmox.asc"), key("good"), "{at}");
    })
    .await;
}

#[tokio::test]
async fn a_repository_that_is_set_up_is_left_alone() {
    let mut life = node().await;
    assert_eq!(life.apply(&task()).await, Outcome::Done);
    life.machine.clear_log();
    assert_eq!(life.apply(&task()).await, Outcome::Done);
    assert_eq!(life.changes(), [""; 0]);
}

#[tokio::test]
async fn all_of_zfs_comes_from_one_source() {
    let mut life = node().await;
    assert_eq!(life.apply(&task()).await, Outcome::Done);
    for name in ["zfsutils-linux", "zfs-dkms", "zfs-zed"] {
        assert_eq!(candidate(&life, name), "2.3.9-0+deb13u1", "{name}");
    }
    // The trap: without the pins, the programs alone would change.
    life.machine.remove(Path::new(PINS)).await.unwrap();
    assert_eq!(candidate(&life, "zfsutils-linux"), "2.4.4-pve1");
    assert_eq!(candidate(&life, "zfs-dkms"), "2.3.9-0+deb13u1");
}

#[tokio::test]
async fn a_raspberry_pi_never_gets_proxmoxs_kernel() {
    let mut life = node().await;
    assert_eq!(life.apply(&task()).await, Outcome::Done);
    for name in ["proxmox-ve", "proxmox-default-kernel"] {
        assert_eq!(candidate(&life, name), "(none)", "{name}");
    }
    assert_eq!(candidate(&life, "corosync"), "3.1.9-pve2");
    assert_eq!(candidate(&life, "pve-manager"), "9.2.18");
    let other = pi().board("some board", "aarch64").build();
    let mut other = Life::of(other);
    other.machine.put_repository(proxmox());
    assert_eq!(other.apply(&task()).await, Outcome::Done);
    assert_eq!(candidate(&other, "proxmox-ve"), "9.2.0");
}

#[tokio::test]
async fn a_changed_key_needs_lists_signed_with_it() {
    let mut life = node().await;
    assert_eq!(life.apply(&task()).await, Outcome::Done);
    let other = Task::EnsureRepositories(EnsureRepositories {
        public_key: PublicKey::new(&key("other")).unwrap(),
        ..spec()
    });
    let (found, why, next) = blocked(life.apply(&other).await);
    assert!(found.contains("Missing key"), "{found}");
    assert!(why.contains("24B30F06ECC1836A4E5EFECBA7BCD1420BFE778E"), "{why}");
    assert!(next.contains("fingerprint") && next.contains("heeler apply"), "{next}");
    assert!(life.machine.file(LIST).is_none(), "lists of the old key prove nothing");
    life.machine.put_repository(Repository::proxmox(&key("other")));
    assert_eq!(life.apply(&other).await, Outcome::Done);
}

#[tokio::test]
async fn a_mirror_that_fails_stops_with_its_reason() {
    for (server, says, advises) in [
        (Server::Silent, "Could not connect", "look at the node's network"),
        (Server::Old, "is expired", "use another mirror"),
        (Server::Changed, "Message has been manipulated", "use another mirror"),
        (Server::Truncated, "unexpected size", "wait an hour"),
    ] {
        let mut life = with(Repository { server, ..proxmox() }).await;
        let (found, _, next) = blocked(life.apply(&task()).await);
        assert!(found.contains(says), "{found}");
        assert!(next.contains(advises), "{next}");
        assert!(life.machine.file(LIST).is_none(), "{server:?}");
        life.machine.put_repository(proxmox());
        assert_eq!(life.apply(&task()).await, Outcome::Done, "{server:?}");
    }
}

#[tokio::test]
async fn exit_code_0_without_the_list_is_a_failure() {
    let component = "pve-test".to_owned();
    let mut life = with(Repository { component, ..proxmox() }).await;
    let outcome = life.apply(&task()).await;
    let Outcome::Failed { step, reason } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(step, "RepositoryFetched");
    assert!(reason.contains("still missing: apt-get"), "{reason}");
}

#[tokio::test]
async fn a_repository_without_proxmox_blocks() {
    let packages = vec![("corosync", "3.1.9-pve2", "corosync-pve")];
    let mut life = with(Repository { packages, ..proxmox() }).await;
    let (found, _, next) = blocked(life.apply(&task()).await);
    assert!(found.contains("no package pve-manager"), "{found}");
    assert!(next.contains("correct the address"), "{next}");
}

#[tokio::test]
async fn another_release_of_debian_blocks() {
    let mut life = node().await;
    let other = Task::EnsureRepositories(EnsureRepositories {
        suite: RepositoryWord::new("bookworm").unwrap(),
        ..spec()
    });
    let (found, _, _) = blocked(life.apply(&other).await);
    assert_eq!(
        found,
        "this node has Debian trixie, and the repository's suite is bookworm"
    );
    assert!(life.machine.file(SOURCE).is_none());
}

#[tokio::test]
async fn another_file_with_proxmox_blocks_and_stays() {
    for (name, line, why_has) in [
        (
            "pve.list",
            "deb http://download.proxmox.com/debian/pve trixie pve-no-subscription\n",
            "reads no source at all",
        ),
        (
            "pxvirt.list",
            "deb https://mirrors.lierfang.com/pxcloud/pxvirt trixie main\n",
            "two builds",
        ),
    ] {
        let mut life = node().await;
        let path = format!("/etc/apt/sources.list.d/{name}");
        life.machine.put_file(&path, line.as_bytes()).unwrap();
        let (found, why, next) = blocked(life.apply(&task()).await);
        assert!(found.contains(&path), "{found}");
        assert!(why.contains(why_has), "{why}");
        assert!(next.contains(&format!("sudo mv {path} /root/")), "{next}");
        assert_eq!(text(&life, &path), line);
        assert!(life.machine.file(SOURCE).is_none());
        life.machine.remove(Path::new(&path)).await.unwrap();
        assert_eq!(life.apply(&task()).await, Outcome::Done);
    }
}

#[tokio::test]
async fn a_persons_pin_that_brings_proxmoxs_zfs_blocks() {
    let mut life = node().await;
    let pin = "Package: zfsutils-linux\nPin: origin \"download.proxmox.com\"\nPin-Priority: 990\n";
    life.machine
        .put_file("/etc/apt/preferences.d/00-mine", pin.as_bytes())
        .unwrap();
    let (found, _, next) = blocked(life.apply(&task()).await);
    assert_eq!(
        found,
        "apt would install zfsutils-linux 2.4.4-pve1 from download.proxmox.com"
    );
    assert!(next.contains("apt-cache policy zfsutils-linux"), "{next}");
}

#[tokio::test]
async fn an_enterprise_source_is_switched_off_and_others_stay() {
    let mut life = node().await;
    let paid =
        "Types: deb\nURIs: https://enterprise.proxmox.com/debian/ceph-squid\nSuites: trixie\nComponents: enterprise\n";
    let ceph = "/etc/apt/sources.list.d/ceph.sources";
    let mine = "/etc/apt/sources.list.d/mine.sources";
    life.machine.put_file(ceph, paid.as_bytes()).unwrap();
    let disabled = paid.replace("Suites", "Enabled: no\nSuites");
    life.machine.put_file(mine, disabled.as_bytes()).unwrap();
    assert_eq!(life.apply(&task()).await, Outcome::Done);
    assert_eq!(text(&life, ceph), format!("{paid}Enabled: no\n"));
    assert_eq!(text(&life, mine), disabled);
}

#[tokio::test]
async fn a_preview_does_not_judge_missing_pins() {
    let life = node().await;
    let reports = life.preview(&task()).await;
    let states: Vec<_> = reports
        .iter()
        .map(|report| (report.step.as_str(), report.outcome()))
        .collect();
    assert_eq!(states[2], ("PinsHold", StepOutcome::After), "{states:?}");
}
