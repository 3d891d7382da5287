//! What no recording shows.

use crate::machine::Lab;
use crate::recorded::members::THREE_NODES;

#[test]
fn writers_at_the_same_time_lose_nothing() {
    let lab = Lab::new();
    lab.prepare(
        "pve1",
        "for n in 1 2 3 4; do pveum user add b$n@pam 2>/dev/null & done; wait",
    );
    let names = lab.run("pve1", "grep -c '^user:b' /etc/pve/user.cfg; ls -A /etc/pve/priv/lock");
    assert_eq!(names.stdout, "4\n");
}

#[test]
fn pmxcfs_refuses_a_folder_that_is_not_empty() {
    let lab = Lab::new();
    lab.prepare("pve1", "systemctl stop pve-cluster; touch /etc/pve/stray");
    let answer = lab.run("pve1", "pmxcfs");
    assert_eq!(answer.exit, 255);
    assert!(
        answer.stderr.contains("fuse: mountpoint is not empty\n"),
        "{}",
        answer.stderr
    );
    lab.prepare("pve1", "rm /etc/pve/stray; pmxcfs; pveum user list");
}

#[test]
fn a_boolean_is_written_as_a_number() {
    let lab = Lab::new();
    lab.prepare(
        "pve1",
        "pvesm add dir d1 --path /srv/d1 --shared yes --content iso --create-subdirs no",
    );
    let written = lab.run("pve1", "tail -6 /etc/pve/storage.cfg");
    let expected = "dir: d1\n\tpath /srv/d1\n\tcontent iso\n\tcreate-subdirs 0\n\tshared 1\n\n";
    assert_eq!(written.stdout, expected);
    let answer = lab.run("pve1", "pvesh get /storage/d1 --output-format json");
    let answer: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!((&answer["create-subdirs"], &answer["shared"]), (&0.into(), &1.into()));
}

#[test]
fn a_command_has_its_old_names() {
    let lab = Lab::new();
    lab.prepare("pve1", "pveum useradd a@pve; pveum user token add a@pve t >/dev/null");
    lab.prepare("pve1", "pveum user token remove a@pve t");
    let tokens = lab.run("pve1", "pveum user token list a@pve --output-format json");
    assert_eq!(tokens.stdout, "[]\n");
}

#[test]
fn the_api_answers_as_pveum() {
    let lab = Lab::new();
    lab.prepare("pve1", "pveum group add ops");
    for (path, list) in [
        ("groups", "group"),
        ("roles", "role"),
        ("domains", "realm"),
        ("users", "user"),
    ] {
        let api = lab.run("pve1", &format!("pvesh get /access/{path} --output-format json"));
        let own = lab.run("pve1", &format!("pveum {list} list --output-format json"));
        assert_eq!((api.exit, api.stdout.len() > 3), (0, true), "{path}");
        assert_eq!(api.stdout, own.stdout);
    }
}

#[test]
fn a_password_is_kept_nowhere_and_tokens_in_private() {
    let lab = Lab::new();
    lab.prepare(
        "pve1",
        "pveum user add a@pve --password planted-canary; pveum user token add a@pve t >/dev/null",
    );
    let found = lab.run(
        "pve1",
        "grep -rl planted-canary /etc/pve; ls /etc/pve/priv; stat -c %a /etc/pve/priv",
    );
    assert_eq!(found.stdout, "authorized_keys\nlock\nshadow.cfg\ntoken.cfg\n700\n");
}

#[test]
fn writers_on_two_nodes_lose_nothing() {
    let lab = three_nodes();
    lab.prepare(
        "pve2",
        "for n in 1 2 3; do pveum user add b$n@pam 2>/dev/null & \
         ssh 10.99.0.3 pveum user add c$n@pam 2>/dev/null & done; wait",
    );
    for node in ["pve1", "pve2", "pve3"] {
        let names = lab.run(node, "grep -c '^user:[bc]' /etc/pve/user.cfg");
        assert_eq!(names.stdout, "6\n", "{node}");
    }
}

#[test]
fn a_cluster_opens_ssh_for_root() {
    let lab = three_nodes();
    let sshd = lab.run("pve2", "cat /etc/ssh/sshd_config; readlink /root/.ssh/authorized_keys");
    assert_eq!(sshd.stdout, "PermitRootLogin yes\n/etc/pve/priv/authorized_keys\n");
    let keys = lab.run("pve1", "grep -c root@pve /etc/pve/priv/authorized_keys");
    assert_eq!(keys.stdout, "3\n");
}

#[test]
fn a_member_hands_out_what_a_new_node_needs() {
    let lab = three_nodes();
    let add = "pvesh create /cluster/config/nodes/pve4 --link0 10.99.0.4 --link1 10.99.1.4 --apiversion 1";
    let answer = lab.run("pve1", &format!("{add} --output-format json"));
    let answer: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(answer["corosync_authkey"].as_str().map(str::len), Some(512));
    assert!(
        answer["corosync_conf"]
            .as_str()
            .unwrap()
            .contains("ring1_addr: 10.99.1.4")
    );
    assert_eq!(answer["warnings"], serde_json::json!([]));
}

fn three_nodes() -> Lab {
    let lab = Lab::new();
    for (node, script) in THREE_NODES {
        lab.prepare(node, script);
    }
    lab
}
