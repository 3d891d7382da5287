//! Damaged files and unfinished packages.

use std::path::Path;

use heeler_host::sim::Fault;
use heeler_host::{System as _, dpkg, initramfs};
use heeler_proto::Task;
use heeler_proto::v1::{StepOutcome, StepReport};
use heeler_tasks::engine::Outcome;

use crate::every_point::at_every_point;
use crate::life::{Life, blocked, pi};

/// What a card image had in its configuration of initramfs-tools.
const RUBBISH: &[u8] = b"\x80\x8aE\xdd\x9e1i\0\0\x81\x951i\0\0";
const CRON: &str = "/etc/default/cron";
const CRONTAB: &str = "/etc/crontab";
const PACKAGED: &[u8] = b"# EXTRA_OPTS=\"\"\n";

fn task() -> Task {
    Task::read("repair packages", b"{}").unwrap()
}

fn node() -> Life {
    Life::of(pi().build())
}

/// A node on which these files have this content.
fn with(files: &[(&str, &[u8])]) -> Life {
    let life = node();
    for (path, bytes) in files {
        life.machine.put_file(path, bytes).unwrap();
    }
    life
}

fn kept(path: &str) -> String {
    format!("/var/backups/heeler{path}")
}

fn failed(outcome: Outcome) -> String {
    match outcome {
        Outcome::Failed { reason, .. } => reason,
        other => panic!("should have failed: {other:?}"),
    }
}

/// Asserts that no package is unfinished and no repair either.
async fn sound(life: &Life, at: &str) {
    assert_eq!(dpkg::audit(&life.machine).await.unwrap(), [], "{at}");
    let left = life.machine.list(Path::new("/var/lib/heeler-agent/repair")).await;
    assert_eq!(left.unwrap_or_default(), [""; 0], "{at}");
}

/// How often dpkg read all files.
fn verified(life: &Life) -> usize {
    let log = life.machine.log();
    log.iter().filter(|entry| entry.what == "dpkg --verify").count()
}

/// The card image that the repair was first needed for: two packages cannot be configured.
async fn image() -> Life {
    let life = with(&[
        (initramfs::CONF, RUBBISH),
        ("/boot/firmware/config.txt", b"auto_initramfs=1\n"),
    ]);
    life.machine.interrupt_package("initramfs-tools", "half-configured");
    life.machine.interrupt_package("cron", "unpacked");
    life
}

#[tokio::test]
async fn the_damaged_image_is_repaired_wherever_it_is_interrupted() {
    at_every_point(image, &task(), async |life, outcome, at| {
        assert_eq!(outcome, Outcome::Done, "{at}");
        let conf = life.machine.file(initramfs::CONF).unwrap();
        assert_eq!(conf, initramfs::PACKAGED.as_bytes(), "{at}");
        assert_eq!(life.machine.file(&kept(initramfs::CONF)).unwrap(), RUBBISH, "{at}");
        assert!(life.machine.file("/boot/firmware/initramfs_2712").is_some(), "{at}");
        sound(life, at).await;
    })
    .await;
}

/// A conffile is damaged, and a person has edited the other one of the package.
async fn damaged_conffile() -> Life {
    with(&[(CRON, RUBBISH), (CRONTAB, b"SHELL=/bin/bash\n")])
}

#[tokio::test]
async fn a_damaged_conffile_comes_back_wherever_it_is_interrupted() {
    at_every_point(damaged_conffile, &task(), async |life, outcome, at| {
        assert_eq!(outcome, Outcome::Done, "{at}");
        assert_eq!(life.machine.file(CRON).unwrap(), PACKAGED, "{at}");
        assert_eq!(life.machine.file(&kept(CRON)).unwrap(), RUBBISH, "{at}");
        assert_eq!(life.machine.file(CRONTAB).unwrap(), b"SHELL=/bin/bash\n", "{at}");
        sound(life, at).await;
    })
    .await;
}

/// dpkg lost power in the middle of an installation.
async fn half_installed() -> Life {
    let life = with(&[(CRONTAB, b"SHELL=/bin/bash\n"), ("/usr/sbin/cron", b"\0\0")]);
    life.machine.remove(Path::new(CRON)).await.unwrap();
    life.machine.interrupt_package("cron", "half-installed");
    life.machine.interrupt_package("initramfs-tools", "unpacked");
    life
}

#[tokio::test]
async fn an_interrupted_installation_is_finished_wherever_it_is_interrupted() {
    at_every_point(half_installed, &task(), async |life, outcome, at| {
        assert_eq!(outcome, Outcome::Done, "{at}");
        assert_eq!(life.machine.file("/usr/sbin/cron").unwrap()[..4], *b"\x7fELF", "{at}");
        assert_eq!(life.machine.file(CRONTAB).unwrap(), b"SHELL=/bin/bash\n", "{at}");
        assert_eq!(life.machine.file(CRON), None, "removed on purpose: {at}");
        sound(life, at).await;
    })
    .await;
}

#[tokio::test]
async fn a_sound_node_stays_and_is_verified_daily() {
    let mut life = with(&[(CRONTAB, b"SHELL=/bin/bash\n")]);
    life.machine.remove(Path::new(CRON)).await.unwrap();
    life.machine.clear_log();
    for _ in 0..3 {
        assert_eq!(life.apply(&task()).await, Outcome::Done);
    }
    assert_eq!((life.changes(), verified(&life)), (Vec::<String>::new(), 1));
    assert_eq!(life.machine.file(CRON), None);

    life.machine.pass(std::time::Duration::from_secs(86_400));
    assert_eq!(life.apply(&task()).await, Outcome::Done);
    assert_eq!(verified(&life), 2, "after a day");
    life.machine.put_file(dpkg::STATUS, b"Package: new\n").unwrap();
    assert_eq!(life.apply(&task()).await, Outcome::Done);
    assert_eq!(verified(&life), 3, "after a change of packages");
    life.machine.boot();
    assert_eq!(life.apply(&task()).await, Outcome::Done);
    assert_eq!(verified(&life), 4, "after a boot");
}

#[tokio::test]
async fn a_preview_shows_the_repair_and_what_depends_on_it() {
    let life = image().await;
    let reports = life.preview(&task()).await;
    let outcomes: Vec<StepOutcome> = reports.iter().map(StepReport::outcome).collect();
    let expected = [
        StepOutcome::Change,
        StepOutcome::Change,
        StepOutcome::After,
        StepOutcome::Satisfied,
        StepOutcome::After,
    ];
    assert_eq!(outcomes, expected);
    let write = reports[0].ops.last().unwrap();
    assert_eq!(
        (write.before.as_str(), write.after.as_str()),
        ("80 8a 45 dd 9e 31 69 00 00 81 95 31 69 00 00", initramfs::PACKAGED)
    );
    assert_eq!(life.changes(), [""; 0]);
}

#[tokio::test]
async fn a_person_sets_update_initramfs_and_it_stays() {
    let mine: &[u8] = b"# mine\nupdate_initramfs=no\n";
    let mut life = with(&[(initramfs::CONF, mine)]);
    assert_eq!(life.apply(&task()).await, Outcome::Done);
    assert_eq!(life.machine.file(initramfs::CONF).unwrap(), mine);
}

#[tokio::test]
async fn a_damaged_program_stops_the_task() {
    for bytes in [&b"\0\0\0\0"[..], b""] {
        let mut life = with(&[("/usr/sbin/cron", bytes), (CRON, RUBBISH)]);
        let (found, _, next) = blocked(life.apply(&task()).await);
        assert_eq!(found, "files of packages are damaged: /usr/sbin/cron");
        assert!(next.contains("write the card anew"), "{next}");
        assert_eq!(life.machine.file(CRON).unwrap(), RUBBISH);
        life.machine
            .put_file("/usr/sbin/cron", b"\x7fELF\x02\x01\x01\0")
            .unwrap();
        assert_eq!(life.apply(&task()).await, Outcome::Done);
    }
}

#[tokio::test]
async fn a_script_edited_by_hand_and_missing_documentation_stay() {
    let mut life = with(&[("/usr/sbin/update-initramfs", b"#!/bin/sh\n# mine\n")]);
    let readme = Path::new("/usr/share/doc/cron/copyright");
    life.machine.remove(readme).await.unwrap();
    assert_eq!(life.apply(&task()).await, Outcome::Done);
    assert_eq!(life.changes().len(), 1, "the removal by hand: {:?}", life.changes());
}

#[tokio::test]
async fn the_holder_of_dpkgs_lock_is_waited_for_and_named() {
    for life in [damaged_conffile().await, image().await] {
        let mut life = life;
        life.machine.lock_dpkg(Some("unattended-upgr"));
        let reason = failed(life.apply(&task()).await);
        assert!(reason.contains("unattended-upgr (process 4711)"), "{reason}");
        life.machine.lock_dpkg(None);
        assert_eq!(life.apply(&task()).await, Outcome::Done);
        sound(&life, "").await;
    }
}

#[tokio::test]
async fn a_package_that_no_mirror_has_is_not_begun() {
    for (life, found) in [
        (damaged_conffile().await, "no mirror that apt knows has cron"),
        (half_installed().await, "I can't find an archive for it"),
    ] {
        let mut life = life;
        life.machine.set_mirrors_gone(true);
        let before = life.machine.file(CRON);
        let (why, _, next) = blocked(life.apply(&task()).await);
        assert!(why.contains(found), "{why}");
        assert!(next.contains("apt-get update"), "{next}");
        assert_eq!(life.machine.file(CRON), before);
        life.machine.set_mirrors_gone(false);
        assert_eq!(life.apply(&task()).await, Outcome::Done);
    }
}

#[tokio::test]
async fn what_was_removed_on_purpose_does_not_come_back() {
    let mut life = damaged_conffile().await;
    life.machine.remove(Path::new(CRONTAB)).await.unwrap();
    let (found, _, next) = blocked(life.apply(&task()).await);
    assert_eq!(
        found,
        "damaged: /etc/default/cron; of the same packages somebody removed /etc/crontab"
    );
    assert!(next.contains("--force-confmiss cron"), "{next}");
    assert_eq!(
        (life.machine.file(CRON).unwrap().as_slice(), life.machine.file(CRONTAB)),
        (RUBBISH, None)
    );
}

#[tokio::test]
async fn a_conffile_removed_after_its_repair_stays_away() {
    let mut life = damaged_conffile().await;
    assert_eq!(life.apply(&task()).await, Outcome::Done);
    life.machine.remove(Path::new(CRON)).await.unwrap();
    assert_eq!(life.apply(&task()).await, Outcome::Done);
    assert_eq!(life.machine.file(CRON), None);
}

#[tokio::test]
async fn an_interrupted_removal_is_left_to_the_person() {
    let mut life = node();
    life.machine.interrupt_removal("cron");
    let (found, _, next) = blocked(life.apply(&task()).await);
    assert!(found.contains("removal of the package cron"), "{found}");
    assert!(next.contains("apt-get remove cron"), "{next}");
}

#[tokio::test]
async fn a_package_that_cannot_be_configured_is_named() {
    let mut life = with(&[(CRON, RUBBISH)]);
    life.machine.interrupt_package("cron", "unpacked");
    let (found, _, next) = blocked(life.apply(&task()).await);
    assert!(found.contains("could not dpkg --configure -a"), "{found}");
    assert!(
        found.contains("Errors were encountered while processing: / cron"),
        "{found}"
    );
    assert!(found.contains("/etc/default/cron is damaged"), "{found}");
    assert!(next.contains("--force-confmiss ./PACKAGE_*.deb"), "{next}");
    assert_eq!(life.machine.file(CRON).unwrap(), RUBBISH);

    let mut life = node();
    life.machine.interrupt_package("cron", "unpacked");
    let full = "dpkg: error processing package cron (--configure):\n installed cron package post-installation script \
                subprocess returned error exit status 1\nErrors were encountered while processing:\n cron\n";
    life.machine.fail_next("dpkg --configure", Fault::complains(1, full));
    let reason = failed(life.apply(&task()).await);
    assert!(
        reason.contains("Errors were encountered while processing: / cron"),
        "{reason}"
    );
}

#[tokio::test]
async fn exit_code_0_without_an_effect_is_a_failure() {
    for (life, program) in [
        (image().await, "dpkg --configure"),
        (damaged_conffile().await, "apt-get -y"),
    ] {
        let mut life = life;
        life.machine
            .fail_next(program, Fault::Answers(heeler_host::Output::default()));
        let reason = failed(life.apply(&task()).await);
        assert!(reason.contains("still missing"), "{reason}");
        assert_eq!(life.apply(&task()).await, Outcome::Done);
        sound(&life, program).await;
    }
}

#[tokio::test]
async fn a_failed_update_of_the_initramfs_is_tried_again() {
    let mut life = image().await;
    let full = "update-initramfs: failed for /boot/initrd.img with 1.\n";
    life.machine.fail_next("update-initramfs", Fault::complains(1, full));
    assert!(failed(life.apply(&task()).await).contains("failed for /boot/initrd.img"));
    assert_eq!(life.apply(&task()).await, Outcome::Done);
    sound(&life, "").await;
}

#[tokio::test]
async fn a_missing_initramfs_is_made_where_the_firmware_loads_it() {
    let mut life = with(&[("/boot/firmware/config.txt", b"[all]\nauto_initramfs=1\n")]);
    assert_eq!(life.apply(&task()).await, Outcome::Done);
    assert!(life.machine.file("/boot/firmware/initramfs_2712").is_some());
    let before = life.changes().len();
    assert_eq!(life.apply(&task()).await, Outcome::Done);
    assert_eq!(life.changes().len(), before);
}
