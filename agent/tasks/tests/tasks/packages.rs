//! Proxmox's packages, and what their installation may not do.

use heeler_host::sim::{Repository, Server};
use heeler_proto::v1::StepOutcome;
use heeler_proto::{
    EnsurePackages, EnsureRepositories, Fingerprint, PackageName, PublicKey, RepositoryUri, RepositoryWord, Task,
};
use heeler_tasks::engine::Outcome;

use crate::every_point::at_every_point;
use crate::life::{Life, blocked, pi};

const PLAN: &str = "/var/lib/heeler-agent/packages/plan";

fn key() -> String {
    format!("{}good\n{}", PublicKey::BEGIN, PublicKey::END)
}

fn proxmox() -> Repository {
    Repository::proxmox(&key())
}

/// A node that has Proxmox's repository.
async fn node() -> Life {
    with(pi().build()).await
}

async fn with(machine: heeler_host::sim::Machine) -> Life {
    let mut life = Life::of(machine);
    life.machine.put_repository(proxmox());
    let repositories = Task::EnsureRepositories(EnsureRepositories {
        uri: RepositoryUri::new("http://download.proxmox.com/debian/pve").unwrap(),
        suite: RepositoryWord::new("trixie").unwrap(),
        components: vec![RepositoryWord::new("pve-no-subscription").unwrap()],
        key: Fingerprint::new("24B30F06ECC1836A4E5EFECBA7BCD1420BFE778E").unwrap(),
        public_key: PublicKey::new(&key()).unwrap(),
    });
    assert_eq!(life.apply(&repositories).await, Outcome::Done);
    life.machine.clear_log();
    life
}

fn task() -> Task {
    Task::EnsurePackages(EnsurePackages {
        more: vec![PackageName::new("htop").unwrap()],
    })
}

fn installed(life: &Life, name: &str) -> Option<&'static str> {
    let (version, state) = life.machine.package(name)?;
    (state == "installed").then_some(version)
}

#[tokio::test]
async fn proxmox_is_installed_wherever_it_is_interrupted() {
    at_every_point(node, &task(), async |life, outcome, at| {
        assert_eq!(outcome, Outcome::Done, "{at}");
        for (name, version) in [
            ("pve-manager", "9.2.18"),
            ("corosync", "3.1.9-pve2"),
            ("zfsutils-linux", "2.3.9-0+deb13u1"),
            ("zfs-dkms", "2.3.9-0+deb13u1"),
            ("linux-headers-6.12.47+rpt-rpi-2712", "1:6.12.47-1+rpt1"),
            ("htop", "3.4.1-4"),
        ] {
            assert_eq!(installed(life, name), Some(version), "{name} {at}");
        }
        assert_eq!(life.machine.package("proxmox-ve"), None, "{at}");
        assert_eq!(life.machine.by_hand("dpkg", &["--audit"]).stdout, "", "{at}");
        assert!(life.machine.file(PLAN).is_none(), "{at}");
        life.machine.clear_log();
        assert_eq!(life.apply(&task()).await, Outcome::Done, "{at}");
        assert_eq!(life.changes(), [""; 0], "{at}");
    })
    .await;
}

#[tokio::test]
async fn the_plan_shows_each_package_with_its_version() {
    let life = node().await;
    life.machine.put_package("exim4-daemon-light", "4.98");
    life.machine.set_conflict("postfix", "exim4-daemon-light");
    let reports = life.preview(&task()).await;
    let ops = &reports[0].ops;
    let plan = ops.iter().find(|op| op.summary == format!("write {PLAN}")).unwrap();
    assert!(
        plan.after.starts_with("remove exim4-daemon-light 4.98\n"),
        "{}",
        plan.after
    );
    assert!(plan.after.contains("\ninstall pve-manager 9.2.18\n"), "{}", plan.after);
    let install = ops.last().unwrap();
    assert!(
        install.summary.starts_with("DEBIAN_FRONTEND=noninteractive "),
        "{}",
        install.summary
    );
    for word in [
        " pve-manager=9.2.18",
        " exim4-daemon-light-",
        "--force-confold",
        "--no-install-recommends",
    ] {
        assert!(install.summary.contains(word), "{word}: {}", install.summary);
    }
    assert_eq!(
        install.meaning,
        "install 16 packages, remove 1: 16 MB to fetch, 64 MB of files"
    );
    assert_eq!(
        reports[2].outcome(),
        StepOutcome::Satisfied,
        "this kernel has the module"
    );
}

#[tokio::test]
async fn without_the_repository_nothing_is_known() {
    let life = Life::of(pi().build());
    let reports = life.preview(&task()).await;
    assert_eq!(
        (reports[0].outcome(), reports[0].after.as_str()),
        (StepOutcome::After, "RepositoryFetched")
    );
}

#[tokio::test]
async fn what_a_node_needs_is_never_removed() {
    for name in [
        "openssh-server",
        "linux-image-6.12.47+rpt-rpi-v8",
        "network-manager",
        "heeler-agent",
    ] {
        let mut life = node().await;
        life.machine.put_package(name, "99");
        life.machine.set_conflict("pve-firewall", name);
        let (found, _, _) = blocked(life.apply(&task()).await);
        assert_eq!(found, format!("apt would remove {name}"));
        assert_eq!((installed(&life, name), life.changes()), (Some("99"), Vec::new()));
    }
}

#[tokio::test]
async fn zfs_never_changes_without_its_module() {
    let mut life = node().await;
    for name in ["zfsutils-linux", "zfs-dkms"] {
        life.machine.put_package(name, "2.3.9-0+deb13u1");
    }
    // A person's file that lets Proxmox's ZFS in, as it would be without any pins.
    let pin = "Package: zfsutils-linux zfs-zed\nPin: origin \"download.proxmox.com\"\nPin-Priority: 990\n";
    life.machine
        .put_file("/etc/apt/preferences.d/00-mine", pin.as_bytes())
        .unwrap();
    let (found, _, next) = blocked(life.apply(&task()).await);
    assert_eq!(
        found,
        "zfsutils-linux would be 2.4.4-pve1 beside zfs-dkms 2.3.9-0+deb13u1"
    );
    assert!(next.contains("apt-cache policy"), "{next}");
    assert_eq!(life.changes(), [""; 0]);
}

#[tokio::test]
async fn a_held_package_is_named() {
    let mut life = node().await;
    life.machine.put_package("corosync", "3.0-1");
    life.machine.put_package("exim4-daemon-light", "4.98");
    life.machine.set_conflict("postfix", "exim4-daemon-light");
    life.machine.hold_package("exim4-daemon-light", true);
    let (found, _, next) = blocked(life.apply(&task()).await);
    assert_eq!(
        found,
        "the packages exim4-daemon-light are held, and would have to change"
    );
    assert!(next.contains("apt-mark unhold exim4-daemon-light"), "{next}");
    life.machine.hold_package("exim4-daemon-light", false);
    assert_eq!(life.apply(&task()).await, Outcome::Done);
}

#[tokio::test]
async fn another_program_with_the_lock_is_named() {
    let mut life = node().await;
    life.machine.lock_dpkg(Some("unattended-upgr"));
    let Outcome::Failed { reason, .. } = life.apply(&task()).await else {
        panic!("the lock is held")
    };
    assert!(
        reason.starts_with("unattended-upgr (process 4711) is installing"),
        "{reason}"
    );
    assert_eq!(life.changes(), [""; 0]);
    life.machine.lock_dpkg(None);
    assert_eq!(life.apply(&task()).await, Outcome::Done);
}

#[tokio::test]
async fn a_mirror_that_fails_leaves_nothing_half_done() {
    for (server, says, advises) in [
        (Server::Silent, "Could not connect", "look at the node's network"),
        (Server::Truncated, "Hash Sum mismatch", "use another mirror"),
    ] {
        let mut life = node().await;
        life.machine.put_repository(Repository { server, ..proxmox() });
        let (found, _, next) = blocked(life.apply(&task()).await);
        assert!(found.contains(says), "{found}");
        assert!(
            next.contains(advises) && next.contains("nothing was installed"),
            "{next}"
        );
        assert_eq!(life.machine.package("pve-manager"), None, "{server:?}");
        life.machine.put_repository(proxmox());
        assert_eq!(life.apply(&task()).await, Outcome::Done, "{server:?}");
    }
}

#[tokio::test]
async fn a_version_that_is_gone_is_not_replaced() {
    let mut life = node().await;
    let mut newer = proxmox();
    newer.packages[0].1 = "9.2.19";
    life.machine.put_repository(newer);
    let (found, _, next) = blocked(life.apply(&task()).await);
    assert!(found.contains("404 Not Found"), "{found}");
    assert!(next.contains("apt-get update"), "{next}");
    assert_eq!(life.machine.package("pve-manager"), None);
}

#[tokio::test]
async fn a_full_card_stops_before_anything_is_fetched() {
    let mut life = node().await;
    life.machine.set_card_free((1 << 30) + 50_000_000);
    let (found, _, next) = blocked(life.apply(&task()).await);
    assert_eq!(found, "the card has 1124 MB free, and 1154 MB are needed");
    assert!(next.contains("apt-get clean"), "{next}");
    assert_eq!(life.changes(), [""; 0]);
}

#[tokio::test]
async fn a_script_that_fails_is_named_and_runs_again() {
    let mut life = node().await;
    life.machine.set_script_fails("pve-cluster", true);
    // Again: it is configured once more, and nothing else is done.
    for _ in 0..2 {
        let (found, _, next) = blocked(life.apply(&task()).await);
        let begin = "pve-cluster could not be configured: installed pve-cluster package post-installation script";
        assert!(found.starts_with(begin), "{found}");
        assert!(next.contains("dpkg --configure -a"), "{next}");
    }
    life.machine.set_script_fails("pve-cluster", false);
    assert_eq!(life.apply(&task()).await, Outcome::Done);
    assert_eq!(installed(&life, "pve-cluster"), Some("9.1.2"));
}

#[tokio::test]
async fn an_interrupted_removal_is_not_turned_round() {
    let mut life = node().await;
    life.machine.interrupt_removal("cron");
    let (found, _, next) = blocked(life.apply(&task()).await);
    assert_eq!(found, "the removal of the package cron was interrupted");
    assert!(next.contains("apt-get remove cron"), "{next}");
}

#[tokio::test]
async fn the_module_is_built_for_the_kernel_that_runs() {
    let mut life = with(pi().module_missing().build()).await;
    assert_eq!(life.apply(&task()).await, Outcome::Done);
    let found = life
        .machine
        .by_hand("modinfo", &["-k", "6.12.47+rpt-rpi-2712", "-F", "version", "zfs"]);
    assert!(found.ok(), "{found:?}");
}

#[tokio::test]
async fn a_kernel_without_headers_is_told() {
    let mut old = Repository::debian();
    old.packages.retain(|(name, _, _)| !name.starts_with("linux-headers"));
    let machine = pi().module_missing().build();
    machine.put_repository(old);
    let mut life = with(machine).await;
    let (found, _, next) = blocked(life.apply(&task()).await);
    assert!(
        found.contains("Unable to locate package linux-headers-6.12.47+rpt-rpi-2712"),
        "{found}"
    );
    assert!(next.contains("linux-image"), "{next}");
}
