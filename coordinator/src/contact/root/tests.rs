//! Runs against doubles: an ssh that runs its command here, and sudos that behave as recorded from OpenSSH 9.2, sudo
//! 1.9 and sudo-rs 0.2.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use heeler_proto::NodeName;
use tempfile::TempDir;

use super::super::ssh::Trust;
use super::*;

#[derive(Default)]
struct Person {
    password: &'static str,
    asked: Vec<String>,
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
    async fn password(&mut self, host: &Host<'_>) -> Result<String, ContactError> {
        let key = host.key.map(ToString::to_string);
        self.asked.push(key.unwrap_or_default());
        Ok(self.password.to_owned())
    }
    async fn confirm(&mut self, _: &str) -> bool {
        false
    }
}

/// sudo -k -S -p MARKER COMMAND…, for a user whose password is "right". Answers in German unless the locale is C.
const SUDO: &str = r#"#!/bin/sh
[ "$1" != -V ] || { echo 'Sudo version 1.9.16p2'; exit; }
prompt=$4; shift 4
for try in 1 2 3; do
    printf '%s' "$prompt" >&2
    read -r password || { echo 'sudo: no password was provided' >&2; exit 1; }
    [ "$password" = right ] && exec "$@"
    echo 'Sorry, try again.' >&2
done
if [ "$LC_ALL" = C ]; then echo 'sudo: 3 incorrect password attempts' >&2; else echo 'sudo: 3 Fehlversuche bei der Passwort-Eingabe' >&2; fi
exit 1
"#;
/// As SUDO, but gives up after one attempt (passwd_tries=1).
const ONE_TRY: &str = r#"#!/bin/sh
[ "$1" != -V ] || exit 0
printf '%s' "$4" >&2
read -r password
if [ "$LC_ALL" = C ]; then echo 'sudo: 1 incorrect password attempt' >&2; else echo 'sudo: 1 falsche Passworteingabe' >&2; fi
exit 1
"#;
const NO_PASSWORD: &str = "#!/bin/sh\n[ \"$1\" != -V ] || exit 0\nshift 4\nexec \"$@\"\n";
/// sudo-rs 0.2.3: no -p and no `SUDO_PROMPT`; takes -k -S COMMAND….
const SUDO_RS: &str = r#"#!/bin/sh
[ "$1" != -V ] || { echo 'sudo-rs 0.2.3'; exit; }
[ "$3" != -p ] || { echo "sudo: invalid option provided" >&2; exit 1; }
shift 2
printf '[sudo: authenticate] Password: ' >&2
read -r password
[ "$password" = right ] && exec "$@"
echo 'sudo: Authentication failed, try again.' >&2
printf '[sudo: authenticate] Password: ' >&2
read -r password
"#;

fn refusing(words: &str) -> String {
    format!("#!/bin/sh\n[ \"$1\" != -V ] || exit 0\necho \"{words}\" >&2\nexit 1\n")
}

fn program(folder: &Path, name: &str, text: &str) -> &'static str {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned().leak()
}

/// A node with this sudo, whose login runs `first` before the command.
fn node_that(first: &str, sudo: &str) -> (TempDir, Ssh) {
    let folder = tempfile::tempdir().unwrap();
    program(folder.path(), "sudo", sudo);
    program(folder.path(), "id", "#!/bin/sh\necho 1000\n");
    let ssh = format!(
        r#"#!/bin/sh
[ "$1" != -V ] || {{ echo 'OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.19' >&2; exit; }}
for last; do :; done
printf '%s\n' "$@" >{folder}/arguments
echo 'debug1: Server host key: ssh-ed25519 SHA256:shown' >&2
printf 'debug1: Sending command: %.900s\n' "$last" >&2
PATH={folder}:$PATH
{first}
exec sh -c "$last"
"#,
        folder = folder.path().display()
    );
    let mut ssh_to_it = Ssh::new(&NodeName::new("pi").unwrap(), "pi@pi", None);
    ssh_to_it.program = program(folder.path(), "ssh", &ssh);
    ssh_to_it.trust = Trust::Person;
    (folder, ssh_to_it)
}

fn node(sudo: &str) -> (TempDir, Ssh) {
    node_that("", sudo)
}

async fn open<'a>(ssh: &'a Ssh, password: &'static str) -> (Result<Root<'a>, ContactError>, Person) {
    let mut person = Person {
        password,
        ..Person::default()
    };
    let root = Root::open(ssh, &mut person).await;
    (root, person)
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
    let (root, person) = open(&ssh, "right").await;
    root.unwrap().close().await;
    assert_eq!(person.asked, ["ssh-ed25519 SHA256:shown"]);

    let (_folder, ssh) = node(NO_PASSWORD);
    let (root, person) = open(&ssh, "right").await;
    root.unwrap().close().await;
    assert!(person.asked.is_empty());
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_in_any_language() {
    for sudo in [SUDO, ONE_TRY] {
        let german = "LC_ALL=de_DE.UTF-8 LANGUAGE=de; export LC_ALL LANGUAGE";
        let (_folder, ssh) = node_that(german, sudo);
        let (root, person) = open(&ssh, "wrong").await;
        assert!(matches!(root.err(), Some(ContactError::WrongPassword { .. })));
        assert_eq!(person.asked.len(), 1);
    }
}

#[tokio::test]
async fn sudo_rs_with_its_own_prompt_is_understood() {
    let (_folder, ssh) = node(SUDO_RS);
    let (root, person) = open(&ssh, "right").await;
    root.unwrap().close().await;
    assert_eq!(person.asked.len(), 1);
    let (root, _) = open(&ssh, "wrong").await;
    assert!(matches!(root.err(), Some(ContactError::WrongPassword { .. })));
}

#[tokio::test]
async fn a_sudo_that_refuses_is_shown_with_what_helps() {
    for (words, helps) in [
        ("pi is not in the sudoers file.", "--ssh USER@HOST"),
        (
            "Sorry, user pi is not allowed to execute '/bin/sh' as root on pi.",
            "--ssh USER@HOST",
        ),
        ("sudo: I'm sorry pi. I'm afraid I can't do that", "--ssh USER@HOST"),
        ("sudo: sorry, you must have a tty to run sudo", "requiretty"),
        (
            "sudo: Account or password is expired, reset your password and try again",
            "expired",
        ),
        ("sudo: /etc/sudoers is world writable", "sudo true"),
    ] {
        let (_folder, ssh) = node(&refusing(words));
        let (root, person) = open(&ssh, "right").await;
        let failed = root.err().unwrap();
        assert!(matches!(failed, ContactError::NoSudo { .. }), "{failed}");
        let failed = failed.to_string();
        assert!(failed.contains(words) && failed.contains(helps), "{failed}");
        assert_eq!(person.told, [format!("pi: {words}")]);
    }
}

#[tokio::test]
async fn root_needs_no_sudo_and_other_logins_do() {
    let (folder, ssh) = node_that("", NO_PASSWORD);
    std::fs::remove_file(folder.path().join("sudo")).unwrap();
    for name in ["sh", "tr", "env"] {
        let real = ["/usr/bin", "/bin"].map(|at| Path::new(at).join(name));
        let real = real.iter().find(|path| path.exists()).unwrap();
        std::os::unix::fs::symlink(real, folder.path().join(name)).unwrap();
    }
    let text = std::fs::read_to_string(ssh.program).unwrap().replace(":$PATH\n", "\n");
    std::fs::write(ssh.program, text).unwrap();
    let (root, _) = open(&ssh, "").await;
    let failed = root.err().unwrap().to_string();
    assert!(
        failed.contains("sudo is not installed") && failed.contains("root@HOST"),
        "{failed}"
    );
    program(folder.path(), "id", "#!/bin/sh\necho 0\n");
    let (root, person) = open(&ssh, "").await;
    root.unwrap().close().await;
    assert!(person.asked.is_empty());
}

#[tokio::test]
async fn start_up_output_hides_no_answer() {
    for (prints, shown) in [
        ("printf 'welcome, no line end'", "pi: welcome, no line end"),
        ("printf 'a banner\\r\\n'", "pi: a banner"),
        ("echo OK; echo HEELER-READY", "pi: HEELER-READY"),
        ("printf 'on stderr' >&2", "on stderr"),
        ("printf '%s\\n' \"$last\"", "pi: sh -c"),
    ] {
        let (_folder, ssh) = node_that(prints, SUDO);
        let (root, person) = open(&ssh, "right").await;
        root.unwrap_or_else(|failed| panic!("{prints}: {failed}")).close().await;
        assert!(
            person.told.iter().any(|told| told.contains(shown)),
            "{prints}: {:?}",
            person.told
        );
        let answer = ssh
            .run(
                "printf '\\n%s begin\\n%s x=1\\r\\n' \"$0\" \"$0\"",
                &mut Person::default(),
            )
            .await;
        assert_eq!(answer.unwrap().lines, ["begin", "x=1"], "{prints}");
    }
}

#[tokio::test]
async fn a_foreign_login_program_is_shown_at_once() {
    for (does, words, helps) in [
        (
            "echo 'WARNING: Your password has expired.' >&2; echo 'Password change required but no TTY available.' >&2; exit 1",
            "Password change required",
            "change it there",
        ),
        (
            "echo 'This account is currently not available.'; exit 1",
            "not available",
            "--ssh USER@HOST",
        ),
        ("echo 'Only sftp here'; exit 3", "Only sftp here", "forced command"),
        ("exit 0", "(nothing)", "ForceCommand"),
    ] {
        let (_folder, ssh) = node_that(does, SUDO);
        let (root, person) = open(&ssh, "right").await;
        let probe = ssh.run("true", &mut Person::default()).await.map(drop);
        for failed in [root.map(drop), probe] {
            let failed = failed.unwrap_err();
            assert!(matches!(failed, ContactError::NoShell { .. }), "{failed}");
            let failed = failed.to_string();
            assert!(failed.contains(words) && failed.contains(helps), "{failed}");
        }
        assert!(person.asked.is_empty());
        assert!(words == "(nothing)" || person.told.iter().any(|told| told.contains(words)));
    }
}

/// Longer than a login without questions takes on this machine, however slow it is.
async fn patience() -> Duration {
    let (_folder, ssh) = node(NO_PASSWORD);
    let began = tokio::time::Instant::now();
    let (root, _) = open(&ssh, "").await;
    root.unwrap().close().await;
    Duration::from_secs(4) + began.elapsed() * 10
}

#[tokio::test]
async fn a_waiting_login_is_given_up() {
    let (_folder, mut ssh) = node_that("printf 'Choose 1 or 2: '; exec sleep 600", SUDO);
    ssh.patience.begin = patience().await;
    let (root, person) = open(&ssh, "right").await;
    let failed = root.err().unwrap().to_string();
    assert!(
        failed.contains("Choose 1 or 2:") && failed.contains("does not run our command"),
        "{failed}"
    );
    assert!(person.asked.is_empty(), "it got a password");
}

#[tokio::test]
async fn a_sudo_that_asks_something_else_gets_no_password() {
    let code = "#!/bin/sh\n[ \"$1\" != -V ] || exit 0\nprintf 'Verification code: ' >&2\nexec sleep 600\n";
    let (_folder, mut ssh) = node(code);
    ssh.patience.sudo = patience().await;
    let (root, person) = open(&ssh, "right").await;
    let failed = root.err().unwrap().to_string();
    assert!(failed.contains("Verification code:"), "{failed}");
    assert!(person.asked.is_empty(), "it got a password");
}

#[tokio::test]
async fn a_touch_of_the_security_key_is_asked_for() {
    let accepts = "echo 'debug1: Server accepts key: /home/pi/.ssh/id_ed25519_sk ED25519-SK SHA256:abc explicit' >&2";
    let (_folder, ssh) = node_that(accepts, NO_PASSWORD);
    let (root, person) = open(&ssh, "").await;
    root.unwrap().close().await;
    assert!(
        person.told.iter().any(|told| told.contains("touch your security key")),
        "{:?}",
        person.told
    );
}

#[tokio::test]
async fn the_users_ssh_config_cannot_change_the_command() {
    let (folder, ssh) = node(NO_PASSWORD);
    let (root, _) = open(&ssh, "").await;
    root.unwrap().close().await;
    let given = std::fs::read_to_string(folder.path().join("arguments")).unwrap();
    for option in [
        "RemoteCommand=none",
        "SessionType=default",
        "StdinNull=no",
        "ForkAfterAuthentication=no",
        "ControlMaster=no",
        "LogLevel=DEBUG1",
        "ForwardAgent=no",
    ] {
        assert!(given.lines().any(|line| line == option), "{option}: {given}");
    }
    assert!(given.lines().any(|line| line == "-T"), "{given}");
    assert_eq!(
        given.lines().rev().find(|line| line.starts_with("sh -c")),
        given.lines().last(),
        "more than a line"
    );
}

#[tokio::test]
async fn a_node_cannot_say_which_host_key_it_showed() {
    let forges = "echo 'debug1: Server host key: ssh-ed25519 SHA256:another' >&2";
    let (_folder, ssh) = node_that(forges, SUDO);
    let (root, person) = open(&ssh, "right").await;
    root.unwrap().close().await;
    assert_eq!(person.asked, ["ssh-ed25519 SHA256:shown"]);
}

#[tokio::test]
async fn any_file_arrives_complete_with_its_mode() {
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
async fn a_failed_write_leaves_the_old_file() {
    let (folder, ssh) = node(NO_PASSWORD);
    let path: &'static str = folder.path().join("file/below").to_str().unwrap().to_owned().leak();
    std::fs::write(folder.path().join("file"), "old").unwrap();
    let (root, _) = open(&ssh, "").await;
    let failed = root.unwrap().put(&part(path, b"new")).await.unwrap_err();
    assert!(matches!(failed, ContactError::Node { .. }), "{failed}");
    assert_eq!(std::fs::read_to_string(folder.path().join("file")).unwrap(), "old");
}

#[tokio::test]
async fn nothing_is_received_where_others_may_write() {
    let (folder, ssh) = node(NO_PASSWORD);
    let open_to_all = folder.path().join("open");
    std::fs::create_dir(&open_to_all).unwrap();
    std::fs::set_permissions(&open_to_all, std::fs::Permissions::from_mode(0o777)).unwrap();
    let path: &'static str = open_to_all.join("agent.json").to_str().unwrap().to_owned().leak();
    let (root, _) = open(&ssh, "").await;
    let failed = root.unwrap().put(&part(path, b"new")).await.unwrap_err().to_string();
    assert!(failed.contains("users other than root can write"), "{failed}");
    assert_eq!(std::fs::read_dir(&open_to_all).unwrap().count(), 0);
    for script in [SCRIPT, LOGIN, super::super::probe::SCRIPT] {
        assert!(!script.contains("/tmp"), "a script writes where everybody can");
    }
}

#[tokio::test]
async fn a_link_is_replaced_and_not_followed() {
    let (folder, ssh) = node(NO_PASSWORD);
    let theirs = folder.path().join("theirs");
    std::fs::write(&theirs, "theirs").unwrap();
    let path: &'static str = folder.path().join("agent.json").to_str().unwrap().to_owned().leak();
    std::os::unix::fs::symlink(&theirs, path).unwrap();
    let (root, _) = open(&ssh, "").await;
    let mut root = root.unwrap();
    root.put(&part(path, b"new")).await.unwrap();
    root.close().await;
    assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "theirs");
    assert_eq!(std::fs::read_to_string(path).unwrap(), "new");
}

#[tokio::test]
async fn a_host_that_goes_away_in_the_middle_is_named() {
    let (_folder, mut ssh) = node(NO_PASSWORD);
    let folder = tempfile::tempdir().unwrap();
    ssh.mark = "mark".to_owned();
    ssh.program = program(
        folder.path(),
        "ssh",
        "#!/bin/sh\n[ \"$1\" != -V ] || exit 0\nprintf 'mark begin\\nmark ready\\n'\nread -r order\necho 'mark : half an answer'\n",
    );
    let (root, _) = open(&ssh, "").await;
    let failed = root.unwrap().order("LOOK").await.unwrap_err();
    assert!(failed.to_string().contains("Nothing was changed there"), "{failed}");
    for order in ["KEY", "START"] {
        let (root, _) = open(&ssh, "").await;
        let failed = root.unwrap().order(order).await.unwrap_err();
        assert!(
            failed.to_string().contains("run the same command again: it continues"),
            "{order}: {failed}"
        );
    }
    let (root, _) = open(&ssh, "").await;
    let failed = root.unwrap().put(&part("/x", b"new")).await.unwrap_err();
    assert!(matches!(failed, ContactError::Interrupted { .. }), "{failed}");
}

mod copies;
