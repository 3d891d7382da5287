//! Against a double of ssh that runs its command here, and one of sudo that speaks as sudo 1.9 does.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use heeler_proto::NodeName;
use tempfile::TempDir;

use super::super::ssh::Trust;
use super::*;

struct Person {
    password: &'static str,
    asked: u32,
}

#[async_trait]
impl Dialogue for Person {
    fn say(&mut self, _: &str) {}
    async fn password(&mut self, _: &NodeName) -> Result<String, ContactError> {
        self.asked += 1;
        Ok(self.password.to_owned())
    }
    async fn confirm(&mut self, _: &str) -> bool {
        false
    }
}

const MARKER: &str = "[heeler 00c0ffee] ";

/// sudo -k -S -p MARKER COMMAND…, for a user whose password is "right".
const SUDO: &str = r#"#!/bin/sh
prompt=$4; shift 4
for try in 1 2 3; do
    printf '%s' "$prompt" >&2
    read -r password || { echo 'sudo: no password was provided' >&2; exit 1; }
    [ "$password" = right ] && exec "$@"
    echo 'Sorry, try again.' >&2
done
echo 'sudo: 3 incorrect password attempts' >&2
exit 1
"#;
const NO_PASSWORD: &str = "#!/bin/sh\nshift 4\nexec \"$@\"\n";
const NOT_ALLOWED: &str = "#!/bin/sh\necho 'pi is not in the sudoers file.' >&2\nexit 1\n";

fn program(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn node(sudo: &str) -> (TempDir, Ssh) {
    let folder = tempfile::tempdir().unwrap();
    program(folder.path(), "sudo", sudo);
    let ssh = format!(
        "#!/bin/sh\nfor last; do :; done\n[ \"$1\" = -v ] && echo \"debug1: Sending command: $last\" >&2\n\
         PATH={}:$PATH exec sh -c \"$last\"\n",
        folder.path().display()
    );
    let program = program(folder.path(), "ssh", &ssh);
    let node = NodeName::new("pi").unwrap();
    (
        folder,
        Ssh {
            program,
            node,
            destination: "pi@pi".into(),
            config: None,
            trust: Trust::Person,
        },
    )
}

async fn open<'a>(ssh: &'a Ssh, password: &'static str) -> (Result<Root<'a>, ContactError>, u32) {
    let mut person = Person { password, asked: 0 };
    let root = Root::open(ssh, false, MARKER, &mut person).await;
    (root, person.asked)
}

fn part(path: &'static str, bytes: &[u8]) -> Part {
    Part {
        path,
        mode: 0o600,
        bytes: bytes.to_vec(),
    }
}

#[tokio::test]
async fn the_password_goes_out_once_and_only_when_sudo_asks() {
    let (_folder, ssh) = node(SUDO);
    let (root, asked) = open(&ssh, "right").await;
    root.unwrap().close().await;
    assert_eq!(asked, 1);

    let (_folder, ssh) = node(NO_PASSWORD);
    let (root, asked) = open(&ssh, "right").await;
    root.unwrap().close().await;
    assert_eq!(asked, 0);
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let (_folder, ssh) = node(SUDO);
    let (root, asked) = open(&ssh, "wrong").await;
    assert!(matches!(root.err(), Some(ContactError::WrongPassword { .. })));
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn a_login_without_sudo_is_told_so() {
    let (_folder, ssh) = node(NOT_ALLOWED);
    let (root, _) = open(&ssh, "right").await;
    assert!(matches!(root.err(), Some(ContactError::NoSudo { .. })));
}

#[tokio::test]
async fn a_file_arrives_whole_with_its_mode_whatever_it_holds() {
    let (folder, ssh) = node(SUDO);
    let path: &'static str = folder.path().join("etc/agent.json").to_str().unwrap().to_owned().leak();
    let bytes: Vec<u8> = (0..300_000_u32)
        .flat_map(u32::to_le_bytes)
        .chain(*b"\nQUIT\nERR\n")
        .collect();
    let (root, _) = open(&ssh, "right").await;
    let mut root = root.unwrap();
    root.put(&part(path, &bytes)).await.unwrap();
    assert!(
        root.order("LOOK")
            .await
            .unwrap()
            .iter()
            .any(|line| line.starts_with("unit"))
    );
    root.close().await;
    assert_eq!(std::fs::read(path).unwrap(), bytes);
    assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_leaves_the_old_one_and_says_why() {
    let (folder, ssh) = node(NO_PASSWORD);
    let path: &'static str = folder.path().join("file/below").to_str().unwrap().to_owned().leak();
    std::fs::write(folder.path().join("file"), "old").unwrap();
    let (root, _) = open(&ssh, "").await;
    let failed = root.unwrap().put(&part(path, b"new")).await.unwrap_err();
    assert!(matches!(failed, ContactError::Node { .. }), "{failed}");
    assert_eq!(std::fs::read_to_string(folder.path().join("file")).unwrap(), "old");
}

#[tokio::test]
async fn a_host_that_goes_away_in_the_middle_is_named() {
    let (_folder, mut ssh) = node(NO_PASSWORD);
    let folder = tempfile::tempdir().unwrap();
    ssh.program = program(
        folder.path(),
        "ssh",
        "#!/bin/sh\necho HEELER-READY\nread -r order\necho 'half an answer'\n",
    );
    let (root, _) = open(&ssh, "").await;
    let failed = root.unwrap().order("LOOK").await.unwrap_err();
    assert!(failed.to_string().contains("Nothing was changed there"), "{failed}");
    for order in ["KEY", "START"] {
        let (root, _) = open(&ssh, "").await;
        let failed = root.unwrap().order(order).await.unwrap_err();
        assert!(
            failed.to_string().contains("it goes on from there"),
            "{order}: {failed}"
        );
    }
    let (root, _) = open(&ssh, "").await;
    let failed = root.unwrap().put(&part("/x", b"new")).await.unwrap_err();
    assert!(matches!(failed, ContactError::Interrupted { .. }), "{failed}");
}

#[tokio::test]
async fn a_copy_below_a_mountpoint_with_spaces_is_fetched() {
    let (folder, ssh) = node(NO_PASSWORD);
    let place = folder.path().join("my  data/.heeler/copies");
    std::fs::create_dir_all(&place).unwrap();
    let path = place.join("coordinator-5.age");
    std::fs::write(&path, "sealed").unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, b"sealed");
    let copy = super::super::fetch::Copy {
        name: "coordinator-5.age".to_owned(),
        at_ms: 5,
        bytes: 6,
        sha256: super::super::payload::hex(digest.as_ref()),
        path: path.display().to_string(),
    };
    let mut person = Person { password: "", asked: 0 };
    let mut keeper = super::super::fetch::Keeper::open(&ssh, &mut person).await.unwrap();
    let file = folder.path().join("fetched");
    keeper.fetch(&copy, &file).await.unwrap();
    keeper.close().await;
    assert_eq!(std::fs::read(file).unwrap(), b"sealed");
}
