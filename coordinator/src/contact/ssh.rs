use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use heeler_proto::NodeName;
use tokio::process::{Child, Command};

use super::ContactError;
use super::hostkey::Fingerprint;

/// How to reach a node by the system's own `ssh`, so that the person's config, keys, agent and jump hosts all work.
#[derive(Debug, Clone)]
pub struct Ssh {
    /// `ssh`, looked up in PATH.
    pub program: PathBuf,
    /// The node's name: what its host key is pinned under.
    pub node: NodeName,
    /// `user@host`, or a name of the person's ssh config.
    pub destination: String,
    /// A configuration file in place of the person's own.
    pub config: Option<PathBuf>,
    /// Where the host key must be found.
    pub trust: Trust,
}

/// Which host key is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// What the person's own ssh decides by its known_hosts; it asks when it must.
    Person,
    /// The one in this file, and no other.
    Pinned(PathBuf),
    /// Any, and it is written into this file: a person compares it.
    Record(PathBuf),
}

/// What a command on the node left behind.
#[derive(Debug)]
pub struct Answer {
    /// Exit code; 255 is ssh's own.
    pub code: i32,
    /// Its output.
    pub stdout: String,
    /// What is not ssh's debug noise.
    pub stderr: String,
    /// The host key that was shown.
    pub host_key: Option<Fingerprint>,
}

impl Ssh {
    /// Starts `remote` with its three streams piped. Killed when dropped. With `showing_key`, ssh tells the host key on
    /// stderr, among much else: the command itself, for one.
    ///
    /// # Errors
    /// When ssh is not installed.
    pub fn start(&self, remote: &str, showing_key: bool) -> Result<Child, ContactError> {
        #[expect(clippy::disallowed_methods, reason = "first contact is by the system's own ssh")]
        let mut command = Command::new(&self.program);
        if let Some(config) = &self.config {
            command.arg("-F").arg(config);
        }
        if showing_key {
            command.args(["-v", "-o", "LogLevel=DEBUG1"]);
        }
        command.args(["-T", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=5"]);
        command.args(["-o", "ServerAliveCountMax=4", "-o", "ControlPath=none"]);
        let (file, checking) = match &self.trust {
            Trust::Person => (None, ""),
            Trust::Pinned(file) => (Some(file), "yes"),
            Trust::Record(file) => (Some(file), "accept-new"),
        };
        if let Some(file) = file {
            command.arg("-o").arg(format!("UserKnownHostsFile={}", file.display()));
            command.args([
                "-o",
                "GlobalKnownHostsFile=/dev/null",
                "-o",
                "HashKnownHosts=no",
                "-o",
                "UpdateHostKeys=no",
            ]);
            command.arg("-o").arg(format!("HostKeyAlias={}", self.node));
            command.arg("-o").arg(format!("StrictHostKeyChecking={checking}"));
        }
        command.arg("--").arg(&self.destination).arg(remote);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command.spawn().map_err(|source| ContactError::NoSsh { source })
    }

    /// Runs `remote` to its end, without input.
    ///
    /// # Errors
    /// When ssh is not installed, or nothing is heard for two minutes.
    pub async fn run(&self, remote: &str) -> Result<Answer, ContactError> {
        let mut child = self.start(remote, true)?;
        drop(child.stdin.take());
        let output = tokio::time::timeout(Duration::from_secs(120), child.wait_with_output())
            .await
            .map_err(|_| self.lost("the node did not answer for two minutes"))?
            .map_err(|source| ContactError::NoSsh { source })?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        Ok(Answer {
            code: output.status.code().unwrap_or(255),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            host_key: Fingerprint::shown(&stderr),
            stderr: said(&stderr),
        })
    }

    /// The connection is gone, and why.
    pub fn lost(&self, problem: impl Into<String>) -> ContactError {
        ContactError::Unreachable {
            node: self.node.clone(),
            destination: self.destination.clone(),
            problem: problem.into(),
        }
    }
}

/// What ssh and the node said, without what ssh prints for `-v`.
#[must_use]
pub fn said(stderr: &str) -> String {
    let noise = [
        "debug1: ",
        "OpenSSH_",
        "Authenticated to ",
        "Transferred: ",
        "Bytes per second: ",
        "Warning: Permanently added",
    ];
    let words = stderr.lines().map(str::trim_end).filter(|line| !line.is_empty());
    words
        .filter(|line| !noise.iter().any(|start| line.starts_with(start)))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Whether ssh's complaint is one that passes by itself: the node boots, or cloud-init restarts its sshd.
#[must_use]
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
        let stderr = "OpenSSH_10.0p2 Debian\r\ndebug1: Connecting\r\nPermission denied\r\n";
        assert_eq!(said(stderr), "Permission denied");
    }
}
