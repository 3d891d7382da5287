//! Each fault is switched on from outside, by a file.

use crate::machine::Lab;
use crate::recorded::members::THREE_NODES;

/// A machine with a switch.
fn with(switch: &str, text: &str) -> Lab {
    let lab = Lab::new();
    set(&lab, switch, text);
    lab
}

fn set(lab: &Lab, switch: &str, text: &str) {
    lab.prepare(
        "pve1",
        &format!("echo '{text}' >$HEELER_DOUBLES_ROOT/etc/doubles/{switch}"),
    );
}

#[test]
fn an_error_with_exit_code_zero_can_be_asked_for() {
    let lab = with("exit-zero", "");
    let answer = lab.run("pve1", "pveum user add root@pam");
    assert_eq!((answer.exit, answer.stdout.as_str()), (0, ""));
    assert_eq!(answer.stderr, "create user failed: user 'root@pam' already exists\n");
}

#[test]
fn a_switch_can_name_its_programs() {
    let lab = with("exit-zero", "pvesm qm");
    assert_eq!(lab.run("pve1", "pveum user add root@pam").exit, 2);
    let answer = lab.run("pve1", "pvesm remove nosuch");
    assert_eq!(answer.exit, 0);
    assert_eq!(
        answer.stderr,
        "delete storage failed: storage 'nosuch' does not exist\n"
    );
}

#[test]
fn an_answer_can_be_slow() {
    let lab = with("slow", "600 pveum");
    let answer = lab.run(
        "pve1",
        "/usr/bin/timeout 0.2 pveum user list; echo $?; pvesm status >/dev/null",
    );
    assert_eq!((answer.exit, answer.stdout.as_str()), (0, "124\n"));
    set(&lab, "slow", "0");
    assert_eq!(lab.run("pve1", "pveum user list").exit, 0);
}

#[test]
fn pmxcfs_can_be_down() {
    let lab = with("pmxcfs-down", "");
    for command in [
        "pveum user list",
        "pvesm status",
        "pvecm status",
        "qm list",
        "pvesh get /version",
    ] {
        let answer = lab.run("pve1", command);
        assert_eq!((answer.exit, answer.stdout.as_str()), (111, ""), "{command}");
        assert!(
            answer
                .stderr
                .ends_with("Unable to load access control list: Connection refused\n")
        );
    }
    lab.prepare(
        "pve1",
        "rm $HEELER_DOUBLES_ROOT/etc/doubles/pmxcfs-down; pveum user list",
    );
}

#[test]
fn the_cluster_file_system_can_be_read_only() {
    let lab = with("read-only", "");
    for (command, attempted) in [
        ("pveum user add a@pam", "create user failed: cfs-lock 'file-user_cfg'"),
        (
            "pveum acl modify / --users root@pam --roles PVEAuditor",
            "ACL update failed: cfs-lock 'file-user_cfg'",
        ),
        (
            "pvesm add dir d1 --path /srv/d1",
            "create storage failed: cfs-lock 'file-storage_cfg'",
        ),
        (
            "pvesm set local --content iso",
            "update storage failed: cfs-lock 'file-storage_cfg'",
        ),
    ] {
        let answer = lab.run("pve1", command);
        assert_eq!(answer.exit, 13, "{command}");
        assert!(
            answer.stderr.ends_with(&format!("{attempted} error: no quorum!\n")),
            "{}",
            answer.stderr
        );
    }
    let answer = lab.run("pve1", "qm create 100 --memory 64");
    assert_eq!(
        (answer.exit, answer.stderr.as_str()),
        (255, "cluster not ready - no quorum?\n")
    );
    lab.prepare(
        "pve1",
        "pveum user list; pvesm status; ! ls /etc/pve/user.cfg 2>/dev/null",
    );
}

#[test]
fn a_program_can_be_made_to_fail() {
    let lab = with("fails-pvesm", "out of memory!");
    let answer = lab.run("pve1", "pvesm add dir d1 --path /srv/d1");
    assert_eq!((answer.exit, answer.stderr.as_str()), (255, "out of memory!\n"));
    assert_eq!(lab.run("pve1", "pveum user list").exit, 0);
    assert_ne!(lab.run("pve1", "ls /etc/pve/storage.cfg").exit, 0);
}

#[test]
fn a_cluster_without_quorum_reads_but_does_not_write() {
    let lab = Lab::new();
    for (node, script) in THREE_NODES {
        lab.prepare(node, script);
    }
    lab.prepare("pve2", "power off");
    assert_eq!(lab.run("pve1", "pveum user add a@pam").exit, 0);
    lab.prepare("pve3", "power off");
    assert_eq!(lab.run("pve1", "pveum user add b@pam").exit, 13);
    lab.prepare("pve3", "power on");
    assert_eq!(lab.run("pve3", "pveum user add b@pam").exit, 0);
    lab.prepare("pve2", "power on");
    let users = lab.run("pve2", "grep -c '^user:[ab]@' /etc/pve/user.cfg");
    assert_eq!(users.stdout, "2\n");
}
