use std::os::unix::fs::PermissionsExt as _;

use async_trait::async_trait;
use heeler_proto::NodeName;
use tempfile::TempDir;

use super::super::Host;
use super::super::check::Check;
use super::*;

// Made with ssh-keygen -t ed25519; the fingerprint is from ssh-keygen -l.
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBq8kfbRnBeXJYBwIPDDLT/o5X76ZS0V1o+cPSNG4PDv";
const FINGERPRINT: &str = "ssh-ed25519 SHA256:MpuqxdIWdKeX/IjvaKVWiGY31d+Xk7BrDqs5sE7F5iY";
const FIT: &str = "uid=1000\nmachine=aarch64\nuserland=64\nos=debian\nversion=13\ninit=systemd\nrunning=running\n\
    cloudinit=done\nroot=30000000000\nrootdisk=31000000000\nfree=20000000000\ntime=1700000000\nsudo=/usr/bin/sudo";

struct Then;

impl Clock for Then {
    fn now_ms(&self) -> u64 {
        1_700_000_000_000
    }
}

#[derive(Default)]
struct Person {
    agrees: bool,
    told: Vec<String>,
}

#[async_trait]
impl Dialogue for Person {
    async fn typed(&mut self, _: &str) -> Option<String> {
        None
    }
    fn say(&mut self, text: &str) {
        self.told.push(text.to_owned());
    }
    async fn password(&mut self, _: &Host<'_>) -> Result<String, ContactError> {
        panic!("no password is needed to look");
    }
    async fn confirm(&mut self, question: &str) -> bool {
        self.told.push(question.to_owned());
        self.agrees
    }
}

/// A node that prints `debug` before the session and answers with `facts`. Where ssh must write the host key, it
/// writes KEY.
fn node(debug: &str, facts: &str) -> (TempDir, Ssh, Target) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("ssh");
    let facts: String = facts.lines().map(|line| format!("echo 'mark {line}'\n")).collect();
    let text = format!(
        r#"#!/bin/sh
[ "$1" != -V ] || {{ echo 'OpenSSH_9.2p1' >&2; exit; }}
for given; do
    case $given in UserKnownHostsFile=*) file=$(printf %s "${{given#*=}}" | tr -d '"') ;; StrictHostKeyChecking=accept-new) new=yes ;; esac
done
[ -z "${{new-}}" ] || echo 'pi {KEY}' >"$file"
echo '{debug}' >&2
echo 'debug1: Sending command: sh' >&2
printf '\nmark begin\n'
{facts}echo 'mark end=probe'
"#
    );
    std::fs::write(&program, text).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let name = NodeName::new("pi").unwrap();
    let mut ssh = Ssh::new(&name, "pi@pi", None);
    ssh.program = program.to_str().unwrap().to_owned().leak();
    ssh.mark = "mark".to_owned();
    let target = Target {
        node: name,
        destination: "pi@pi".to_owned(),
        ssh_config: None,
        reflashed: false,
        skip: Vec::new(),
        agent_dir: None,
        state: folder.path().to_path_buf(),
    };
    (folder, ssh, target)
}

fn pinned(target: &Target) -> Option<String> {
    std::fs::read_to_string(pin_file(&target.state, &target.node)).ok()
}

#[tokio::test]
async fn of_a_host_certificate_the_hosts_own_key_is_pinned() {
    let (kind, digest) = FINGERPRINT.split_once(' ').unwrap();
    let debug = format!(
        "debug1: Server host certificate: {kind}-cert-v01@openssh.com {digest}, serial 0 ID \"pi\" CA ssh-ed25519 SHA256:ca valid forever"
    );
    let (_folder, mut ssh, target) = node(&debug, &format!("{FIT}\nhostkey={KEY}"));
    let pinned_node = pin_node(&mut ssh, None, &target, &Then, &mut Person::default())
        .await
        .unwrap();
    assert_eq!(pinned_node.host_key.to_string(), FINGERPRINT);
    assert_eq!(pinned(&target), Some(format!("pi {KEY}\n")));
    assert!(!ssh.known, "it was never seen before");
    let again = pin_node(
        &mut ssh,
        Fingerprint::parse(FINGERPRINT),
        &target,
        &Then,
        &mut Person::default(),
    )
    .await;
    assert_eq!(again.unwrap().host_key.to_string(), FINGERPRINT);
    assert!(ssh.known);
}

#[tokio::test]
async fn host_keys_in_other_places_are_pinned() {
    let (_folder, mut ssh, target) = node(&format!("debug1: Server host key: {FINGERPRINT}"), FIT);
    let pinned_node = pin_node(&mut ssh, None, &target, &Then, &mut Person::default()).await;
    assert_eq!(pinned_node.unwrap().host_key.to_string(), FINGERPRINT);
    assert_eq!(pinned(&target), Some(format!("pi {KEY}\n")));

    let (_folder, mut ssh, target) = node("debug1: Server host key: ssh-ed25519 SHA256:first", FIT);
    let pinned_node = pin_node(&mut ssh, None, &target, &Then, &mut Person::default()).await;
    let failed = pinned_node.err().unwrap().to_string();
    assert!(failed.contains("another machine may intercept"), "{failed}");
    assert_eq!(pinned(&target), None);
}

#[tokio::test]
async fn a_host_that_forges_the_old_key_is_asked_about() {
    let old = "ssh-ed25519 SHA256:old";
    let (_folder, mut ssh, mut target) = node(
        &format!("debug1: Server host key: {old}"),
        &format!("{FIT}\nhostkey={KEY}"),
    );
    target.reflashed = true;
    let mut person = Person::default();
    let failed = pin_node(&mut ssh, Fingerprint::parse(old), &target, &Then, &mut person).await;
    assert!(matches!(failed.err(), Some(ContactError::Declined { .. })));
    let told = person.told.join("\n");
    assert!(told.contains(FINGERPRINT) && told.contains(old), "{told}");

    let mut person = Person {
        agrees: true,
        ..Person::default()
    };
    let pinned_node = pin_node(&mut ssh, Fingerprint::parse(old), &target, &Then, &mut person)
        .await
        .unwrap();
    assert_eq!(pinned_node.host_key.to_string(), FINGERPRINT);
    assert!(!ssh.known, "the key is new to us");
}

#[tokio::test]
async fn a_local_pin_counts_without_the_coordinators() {
    let (_folder, mut ssh, target) = node(
        &format!("debug1: Server host key: {FINGERPRINT}"),
        &format!("{FIT}\nhostkey={KEY}"),
    );
    let pin = pin_file(&target.state, &target.node);
    write_if_other(&pin, &format!("pi {KEY}\n")).unwrap();
    pin_node(&mut ssh, None, &target, &Then, &mut Person::default())
        .await
        .unwrap();
    assert_eq!((ssh.trust, ssh.known), (Trust::Pinned(pin), true));
}

#[tokio::test]
async fn the_root_size_check_can_be_skipped() {
    let small = FIT.replace("root=30000000000", "root=2000000000");
    let (_folder, mut ssh, mut target) = node(
        &format!("debug1: Server host key: {FINGERPRINT}"),
        &format!("{small}\nhostkey={KEY}"),
    );
    target.skip = vec![Check::RootSize];
    let mut person = Person::default();
    pin_node(&mut ssh, None, &target, &Then, &mut person).await.unwrap();
    assert!(person.told.is_empty(), "{:?}", person.told);
}
