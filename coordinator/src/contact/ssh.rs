use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use heeler_os::{Command, person};
use heeler_proto::NodeName;
use tokio::process::Child;

use super::hostkey::Fingerprint;
use super::login::{Login, LoginEvent};
use super::options::{options, version};
use super::{ContactError, Dialogue, Result, reasons};

/// Lines of a node's own output shown in one contact.
const MOST_SHOWN: usize = 60;
/// Lines of an answer to [`Ssh::run`].
const MOST_LINES: usize = 200;

/// How to reach a node with the system's `ssh`, so that the user's configuration, keys, agent and jump hosts work.
#[derive(Debug, Clone)]
pub struct Ssh {
    /// Program, looked up in PATH: `ssh`.
    pub program: &'static str,
    /// Name under which the host key is pinned.
    pub node: NodeName,
    /// `user@host`, or a name of the user's ssh configuration.
    pub destination: String,
    /// A configuration file to use instead of the user's own.
    pub config: Option<PathBuf>,
    /// Which host key is accepted.
    pub trust: Trust,
    /// Whether an earlier contact pinned the host key, and the node has shown it again.
    pub known: bool,
    /// Prefix of our script's lines. Random, so that other output is not taken for an answer.
    pub mark: String,
    /// How long the node may take.
    pub patience: Patience,
    /// Lines of the node that were already shown.
    pub shown: Arc<Mutex<BTreeSet<String>>>,
}

/// Time limits for the parts of a login.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until the session is open: ssh may ask for a passphrase or a touch.
    pub login: Duration,
    /// From the open session to our script's first line.
    pub begin: Duration,
    /// Between two lines of the probe.
    pub probe: Duration,
    /// From the password, or sudo's start, to its answer.
    pub sudo: Duration,
    /// For one order. Longer than systemd waits for a unit that does not start.
    pub order: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            login: Duration::from_secs(150),
            begin: Duration::from_secs(60),
            probe: Duration::from_secs(120),
            sudo: Duration::from_secs(60),
            order: Duration::from_secs(150),
        }
    }
}

/// Which host key ssh accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// As the user's known_hosts decides; ssh asks when it must.
    Person,
    /// Only the key in this file.
    Pinned(PathBuf),
    /// Any key, which ssh writes into this file for a person to compare.
    Record(PathBuf),
}

/// Result of a script on the node.
pub struct Answer {
    /// Exit code; 255 is ssh's own error (ssh(1)).
    pub code: i32,
    /// Lines that our script printed.
    pub lines: Vec<String>,
    /// Other output of ssh and the node.
    pub words: String,
    pub host_key: Option<Fingerprint>,
}

impl Ssh {
    /// Reaches `destination` with the user's ssh.
    pub fn new(node: &NodeName, destination: &str, config: Option<PathBuf>) -> Self {
        Self {
            program: "ssh",
            node: node.clone(),
            destination: destination.to_owned(),
            config,
            trust: Trust::Person,
            known: false,
            mark: format!("heeler-{:032x}", rand::random::<u128>()),
            patience: Patience::default(),
            shown: Arc::default(),
        }
    }

    /// Starts `remote` with stdin, stdout and stderr piped. stderr carries the host key among other output. Dropping
    /// the child kills it. Fails when ssh is not installed.
    pub async fn start(&self, remote: &str) -> Result<Child> {
        let missing = |source| ContactError::NoSsh { source };
        let asked = Command::look(self.program).arg("-V");
        let printed = person::run_in(Path::new("."), &asked).await.map_err(missing)?;
        let version = version(&printed.stderr);
        let mut command = Command::change(self.program);
        if let Some(config) = &self.config {
            command = command.args(["-F".to_owned(), config.display().to_string()]);
        }
        command = command.args(["-v", "-T"]);
        let (file, checking) = match &self.trust {
            Trust::Person => (None, ""),
            Trust::Pinned(file) => (Some(file), "yes"),
            Trust::Record(file) => (Some(file), "accept-new"),
        };
        for option in options(version, file.is_some()) {
            command = command.args(["-o", option]);
        }
        if let Some(file) = file {
            let ours = [
                format!("UserKnownHostsFile=\"{}\"", file.display()),
                format!("HostKeyAlias={}", self.node),
                format!("StrictHostKeyChecking={checking}"),
            ];
            for option in ours {
                command = command.args(["-o".to_owned(), option]);
            }
        }
        person::start(&command.args(["--", &self.destination, remote])).map_err(missing)
    }

    /// Runs `script` to its end, without input. Fails when ssh is not installed, the login does not run the script, or
    /// nothing comes for two minutes.
    pub async fn run(&self, script: &str, person: &mut dyn Dialogue) -> Result<Answer> {
        let mut login = Login::start(self, script, "").await?;
        login.close_input();
        let mut lines = Vec::new();
        let code = loop {
            match login
                .next_event(self.patience.probe, &mut |text| person.say(text))
                .await
            {
                LoginEvent::Line(line) => lines.push(line),
                LoginEvent::Asked => {}
                LoginEvent::Timeout if login.has_begun() => {
                    return Err(self.lost("the node did not answer for two minutes"));
                }
                LoginEvent::Timeout => return Err(self.stopped(&login, None)),
                LoginEvent::End(code) => break code,
            }
            if lines.len() > MOST_LINES {
                return Err(self.lost("the node's answer is incomplete"));
            }
        };
        if code != 255 && !login.has_begun() {
            return Err(self.stopped(&login, Some(code)));
        }
        Ok(Answer {
            code,
            lines,
            words: login.words(),
            host_key: login.host_key().cloned(),
        })
    }

    /// The error for a login that works but does not run our script; `code` when it has ended.
    pub fn stopped(&self, login: &Login<'_>, code: Option<i32>) -> ContactError {
        let words = login.words();
        if code.is_none() && !login.has_opened() {
            let last = words.lines().last().unwrap_or("ssh printed nothing");
            return self.lost(format!(
                "ssh did not log in within {} s ({last})",
                self.patience.login.as_secs()
            ));
        }
        ContactError::NoShell {
            node: self.node.clone(),
            destination: self.destination.clone(),
            how: code.map_or_else(
                || "does not run our command".to_owned(),
                |code| format!("ended with code {code} without running our command"),
            ),
            next: reasons::of_login(&words, &self.destination),
            words: or_nothing(words),
        }
    }

    /// Whether the line was not shown yet, and there is room to show it.
    pub fn shown_first(&self, line: &str) -> bool {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.len() < MOST_SHOWN && shown.insert(line.to_owned())
    }

    pub fn lost(&self, problem: impl Into<String>) -> ContactError {
        ContactError::Unreachable {
            node: self.node.clone(),
            destination: self.destination.clone(),
            problem: problem.into(),
        }
    }
}

fn or_nothing(words: String) -> String {
    if words.is_empty() {
        "(nothing)".to_owned()
    } else {
        words
    }
}

/// Whether a line of stderr is debug output or a banner of ssh itself.
pub fn is_noise(line: &str) -> bool {
    let noise = [
        "debug1: ",
        "debug2: ",
        "debug3: ",
        "OpenSSH_",
        "Authenticated to ",
        "Transferred: ",
        "Bytes per second: ",
        "Warning: Permanently added",
        // Warning of OpenSSH 10.1 and later about key exchange that is not post-quantum.
        "** ",
    ];
    noise.iter().any(|start| line.starts_with(start))
}

/// Whether ssh's error may pass by itself: the node boots, or cloud-init restarts its sshd.
pub fn passes(complaint: &str) -> bool {
    let passing = [
        "Connection refused",
        "Connection closed",
        "Connection reset",
        "timed out",
        "No route to host",
        "closed by remote host",
        "Broken pipe",
    ];
    let lasting = [
        "Permission denied",
        "HOST IDENTIFICATION HAS CHANGED",
        "Host key verification failed",
    ];
    passing.iter().any(|words| complaint.contains(words)) && !lasting.iter().any(|words| complaint.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restarting_sshd_passes_and_a_changed_key_does_not() {
        assert!(passes("ssh: connect to host pi port 22: Connection refused"));
        assert!(passes("kex_exchange_identification: Connection closed by remote host"));
        assert!(!passes("pi@pi: Permission denied (publickey,password)."));
        assert!(!passes(
            "Host key verification failed.\nConnection closed by remote host"
        ));
        assert!(!passes("ssh: Could not resolve hostname pi: Name or service not known"));
    }

    #[test]
    fn ssh_noise_is_not_shown_to_a_person() {
        for line in [
            "OpenSSH_10.0p2 Debian",
            "debug1: Connecting",
            "** WARNING: connection is not using",
        ] {
            assert!(is_noise(line), "{line}");
        }
        assert!(!is_noise("pi@pi: Permission denied (publickey)."));
    }
}
