//! Proxmox's people, groups and roles.

use heeler_host::pmxcfs::{self, Pmxcfs};
use heeler_host::pveum::{self, Whose};
use heeler_host::sim::Fault;
use heeler_host::{Output, System as _, UnitAction};
use heeler_proto::Task;
use heeler_proto::v1::StepOutcome;
use heeler_tasks::engine::Outcome;

use crate::every_point::at_every_point;
use crate::life::{Life, blocked, pi};

const GROUPS: &str = r#"[{"name":"ops","right":{"role":"PVEAdmin","path":"/"}},{"name":"readers"}]"#;
const ADA: &str = r#"{"name":"ada","realm":"pve","groups":["ops","readers"]}"#;
const PI: &str = r#"{"name":"pi","realm":"pam","right":{"role":"PVEVMUser","path":"/vms"}}"#;

fn task(groups: &str, people: &[&str]) -> Task {
    let spec = format!(r#"{{"groups":{groups},"people":[{}]}}"#, people.join(","));
    Task::read("set up access", spec.as_bytes()).unwrap()
}

fn usual() -> Task {
    task(GROUPS, &[ADA, PI])
}

/// A node whose name has an address, before Proxmox is installed.
pub(crate) fn named(node: heeler_host::sim::Builder) -> Life {
    let life = Life::of(node.build());
    for (path, text) in [
        ("/etc/hosts", "127.0.0.1 localhost\n10.10.80.50 pi5l.example.lan pi5l\n"),
        ("/etc/cloud/cloud-init.disabled", ""),
    ] {
        life.machine.put_file(path, text.as_bytes()).unwrap();
    }
    life
}

async fn node() -> Life {
    let life = named(pi());
    life.machine.install_proxmox();
    life
}

/// Every user, group and permission, a line each.
async fn access(life: &Life) -> Vec<String> {
    let host = &life.machine;
    let users = pveum::users(host).await.unwrap().into_iter().map(|user| user.id);
    let groups = pveum::groups(host).await.unwrap();
    let groups = groups
        .iter()
        .map(|group| format!("{}: {}", group.name, group.members.join(" ")));
    let permissions = pveum::permissions(host).await.unwrap();
    let permissions = permissions.iter().map(|one| {
        let who = match &one.whose {
            Whose::User(who) | Whose::Group(who) | Whose::Token(who) => who,
        };
        format!("{} {who} {} {}", one.path, one.role, one.propagates)
    });
    users.chain(groups).chain(permissions).collect()
}

const DONE: [&str; 7] = [
    "ada@pve",
    "pi@pam",
    "root@pam",
    "ops: ada@pve",
    "readers: ada@pve",
    "/ ops PVEAdmin true",
    "/vms pi@pam PVEVMUser true",
];

#[tokio::test]
async fn access_is_set_up_wherever_it_is_interrupted() {
    at_every_point(node, &usual(), async |life, outcome, at| {
        assert_eq!(outcome, Outcome::Done, "{at}");
        assert_eq!(access(life).await, DONE, "{at}");
    })
    .await;
}

#[tokio::test]
async fn a_node_with_its_access_is_not_changed() {
    let mut life = node().await;
    assert_eq!(life.apply(&usual()).await, Outcome::Done);
    life.machine.clear_log();
    assert_eq!(life.apply(&usual()).await, Outcome::Done);
    assert_eq!(life.changes(), [""; 0]);
}

#[tokio::test]
async fn what_others_set_stays() {
    let mut life = node().await;
    let by_hand = |args: &[&str]| assert!(life.machine.by_hand("pveum", args).ok(), "{args:?}");
    by_hand(&["user", "add", "eve@pve"]);
    by_hand(&["group", "add", "theirs"]);
    by_hand(&["group", "add", "readers"]);
    by_hand(&["user", "add", "ada@pve"]);
    by_hand(&["user", "modify", "ada@pve", "--groups", "theirs", "--append", "1"]);
    by_hand(&["user", "modify", "eve@pve", "--groups", "readers", "--append", "1"]);
    by_hand(&[
        "acl",
        "modify",
        "/vms",
        "--users",
        "eve@pve",
        "--roles",
        "PVEVMUser",
        "--propagate",
        "0",
    ]);
    assert_eq!(life.apply(&usual()).await, Outcome::Done);
    let all = access(&life).await;
    for line in [
        "eve@pve",
        "theirs: ada@pve",
        "readers: ada@pve eve@pve",
        "/vms eve@pve PVEVMUser false",
    ] {
        assert!(all.iter().any(|one| one == line), "{line}: {all:?}");
    }
    assert!(
        DONE.iter()
            .filter(|line| !line.starts_with("readers"))
            .all(|line| all.iter().any(|one| one == line))
    );
}

#[tokio::test]
async fn a_role_that_does_not_propagate_is_extended() {
    let mut life = node().await;
    let narrow = [
        "acl",
        "modify",
        "/vms",
        "--users",
        "pi@pam",
        "--roles",
        "PVEVMUser",
        "--propagate",
        "0",
    ];
    life.machine.by_hand("pveum", &["user", "add", "pi@pam"]);
    assert!(life.machine.by_hand("pveum", &narrow).ok());
    let task = task("[]", &[PI]);
    let shown = life.preview(&task).await;
    let ops: Vec<&str> = shown
        .iter()
        .flat_map(|step| &step.ops)
        .map(|op| op.summary.as_str())
        .collect();
    assert_eq!(
        ops,
        ["pveum acl modify /vms --users pi@pam --roles PVEVMUser --propagate 1"]
    );
    assert_eq!(life.apply(&task).await, Outcome::Done);
    assert!(access(&life).await.contains(&"/vms pi@pam PVEVMUser true".to_owned()));
}

#[tokio::test]
async fn an_unknown_realm_is_refused_although_pveum_accepts_it() {
    let mut life = node().await;
    let (found, why, next) = blocked(life.apply(&task("[]", &[r#"{"name":"ada","realm":"nosuch"}"#])).await);
    assert_eq!(found, "Proxmox has no realm nosuch; it has pam, pve");
    assert!(
        why.contains("ada@nosuch") && next.contains("correct realm of ada"),
        "{why} {next}"
    );
    assert_eq!(access(&life).await, ["root@pam"]);
}

#[tokio::test]
async fn a_person_without_an_account_is_not_added_to_pam() {
    let mut life = node().await;
    let (found, _, next) = blocked(life.apply(&task("[]", &[r#"{"name":"ada","realm":"pam"}"#])).await);
    assert_eq!(found, "this node has no account ada, and heeler.toml has ada@pam");
    assert!(next.contains("adduser ada"), "{next}");
    assert_eq!(access(&life).await, ["root@pam"]);
}

#[tokio::test]
async fn a_user_whom_somebody_disabled_stays_out() {
    let mut life = node().await;
    life.machine.by_hand("pveum", &["user", "add", "ada@pve"]);
    life.machine
        .by_hand("pveum", &["user", "modify", "ada@pve", "--enable", "0"]);
    let (found, _, next) = blocked(life.apply(&usual()).await);
    assert_eq!(found, "ada@pve is disabled in Proxmox");
    assert!(next.contains("pveum user modify ada@pve --enable 1"), "{next}");
    let users = pveum::users(&life.machine).await.unwrap();
    assert!(users.iter().any(|user| user.id == "ada@pve" && !user.enabled));
}

#[tokio::test]
async fn members_who_are_not_named_get_no_role() {
    let mut life = node().await;
    life.machine.by_hand("pveum", &["group", "add", "ops"]);
    life.machine.by_hand("pveum", &["user", "add", "eve@pve"]);
    life.machine.by_hand(
        "pveum",
        &["user", "modify", "eve@pve", "--groups", "ops", "--append", "1"],
    );
    let (found, why, _) = blocked(life.apply(&usual()).await);
    assert_eq!(
        found,
        "the group ops has members whom heeler.toml does not name: eve@pve"
    );
    assert_eq!(why, "they would get the role PVEAdmin too");
    assert!(pveum::permissions(&life.machine).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_role_that_proxmox_lacks_blocks() {
    let mut life = node().await;
    let groups = r#"[{"name":"ops","right":{"role":"PVEKing","path":"/"}}]"#;
    let (found, _, next) = blocked(life.apply(&task(groups, &[])).await);
    assert!(
        found.starts_with("Proxmox has no role PVEKing; it has Administrator, "),
        "{found}"
    );
    assert!(next.contains("correct the role"), "{next}");
}

#[tokio::test]
async fn without_proxmox_nothing_is_done_and_nothing_stops() {
    let mut life = named(pi());
    for report in life.preview(&usual()).await {
        assert_eq!(report.outcome(), StepOutcome::NotApplicable);
        assert!(report.reason.contains("Proxmox is not installed"), "{}", report.reason);
    }
    assert_eq!(life.apply(&usual()).await, Outcome::Done);
    assert_eq!(life.changes(), [""; 0]);
}

#[tokio::test]
async fn what_keeps_virtual_machines_from_starting_is_told() {
    let mut life = node().await;
    assert_eq!(life.apply(&usual()).await, Outcome::Done);
    let told = async |life: &mut Life, pages: &str| {
        life.machine.fail_next(
            "getconf PAGESIZE",
            Fault::Answers(Output {
                stdout: pages.to_owned(),
                ..Output::default()
            }),
        );
        let reports = life.preview(&usual()).await;
        let report = reports
            .into_iter()
            .find(|report| report.step == "GuestsCanRun")
            .unwrap();
        assert_eq!(report.outcome(), StepOutcome::Satisfied);
        report.reason
    };
    let large = told(&mut life, "16384\n").await;
    assert!(
        large.contains("pages of 16 KiB") && large.contains("pages = \"4KiB\""),
        "{large}"
    );
    assert_eq!(told(&mut life, "4096\n").await, "");
    life.machine.set_kvm(false);
    let missing = told(&mut life, "4096\n").await;
    assert!(missing.contains("/dev/kvm is missing"), "{missing}");
    assert_eq!(life.apply(&usual()).await, Outcome::Done);
}

#[tokio::test]
async fn proxmox_that_does_not_run_is_started_first() {
    let mut life = node().await;
    life.machine.unit(pmxcfs::UNIT, UnitAction::Stop).await.unwrap();
    assert_eq!(life.apply(&usual()).await, Outcome::Done);
    assert_eq!(pmxcfs::state(&life.machine).await.unwrap(), Pmxcfs::Up);
    assert_eq!(access(&life).await, DONE);
}

#[tokio::test]
async fn a_name_without_an_address_is_named_as_the_cause() {
    let mut life = Life::of(pi().build());
    life.machine.put_file("/etc/hosts", b"127.0.1.1 pi5l\n").unwrap();
    life.machine.install_proxmox();
    let Outcome::Failed { step, reason } = life.apply(&usual()).await else {
        panic!("it should have failed")
    };
    assert_eq!(step, "ProxmoxUp");
    assert!(
        reason.contains("the name pi5l has no address but loopback ones"),
        "{reason}"
    );
}

#[tokio::test]
async fn files_where_proxmox_is_mounted_are_left_alone() {
    let mut life = named(pi());
    life.machine.put_file("/etc/pve/storage.cfg", b"precious").unwrap();
    life.machine.install_proxmox();
    let (found, _, next) = blocked(life.apply(&usual()).await);
    assert_eq!(found, "/etc/pve is not mounted, and holds storage.cfg");
    assert!(next.contains("mv /etc/pve /root/etc-pve-before"), "{next}");
    assert_eq!(life.machine.file("/etc/pve/storage.cfg").unwrap(), b"precious");
}

#[tokio::test]
async fn without_quorum_it_waits_and_then_says_why() {
    let mut life = node().await;
    life.machine.set_quorum(false);
    let Outcome::Failed { step, reason } = life.apply(&usual()).await else {
        panic!("it should have failed")
    };
    assert_eq!(step, "ProxmoxUp");
    assert!(
        reason.contains("/etc/pve is read-only") && reason.contains("pvecm status"),
        "{reason}"
    );
    life.machine.set_quorum(true);
    assert_eq!(life.apply(&usual()).await, Outcome::Done);
}

#[tokio::test]
async fn an_error_behind_exit_code_zero_is_noticed() {
    let error = "create user failed: something else\n";
    let answer = Output {
        stderr: error.to_owned(),
        ..Output::default()
    };
    let mut life = node().await;
    life.machine.fail_next("pveum user add", Fault::Answers(answer.clone()));
    let Outcome::Failed { reason, .. } = life.apply(&task("[]", &[r#"{"name":"ada","realm":"pve"}"#])).await else {
        panic!("it should have failed")
    };
    assert!(reason.contains("still missing: pveum user add ada@pve"), "{reason}");
    for _ in ["for the preview", "for the task"] {
        life.machine
            .fail_next("pveum user list", Fault::Answers(answer.clone()));
    }
    let Outcome::Failed { reason, .. } = life.apply(&usual()).await else {
        panic!("it should have failed")
    };
    assert!(reason.contains("there is no JSON in it"), "{reason}");
}

#[tokio::test]
async fn an_answer_that_never_comes_is_asked_for_again() {
    let mut life = node().await;
    life.machine.fail_next("pveum user add", Fault::TimesOut);
    let Outcome::Failed { reason, .. } = life.apply(&usual()).await else {
        panic!("it should have failed")
    };
    assert!(reason.contains("did not finish in 60 s"), "{reason}");
    for _ in ["for the preview", "for the task"] {
        life.machine.fail_next("pveum group list", Fault::TimesOut);
    }
    assert_eq!(life.apply(&usual()).await, Outcome::Done);
    assert_eq!(access(&life).await, DONE);
}
