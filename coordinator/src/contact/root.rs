use std::fmt::Write as _;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

use super::payload::Part;
use super::ssh::{Ssh, said};
use super::{ContactError, Dialogue};

const SCRIPT: &str = include_str!("installer.sh");
const READY: &str = "HEELER-READY";
/// Long enough for systemd to give up on a unit that does not start.
const PATIENCE: Duration = Duration::from_secs(150);

/// A root shell on the node that takes orders. See `installer.sh` for the orders.
pub struct Root<'a> {
    ssh: &'a Ssh,
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    stderr: ChildStderr,
    heard: String,
    /// An order that changes something was given.
    touched: bool,
}

impl<'a> Root<'a> {
    /// Opens it. The password goes out only after sudo's own prompt, which carries a random marker, and once; the first
    /// order only after the script says that it runs. So a password never becomes an order, nor an order a password.
    ///
    /// # Errors
    /// Wrong password, no right to sudo, connection lost.
    pub async fn open(
        ssh: &'a Ssh,
        is_root: bool,
        marker: &str,
        sudo: &mut dyn Dialogue,
    ) -> Result<Root<'a>, ContactError> {
        let script = format!("sh -c {}", quoted(SCRIPT));
        let remote = if is_root {
            script
        } else {
            format!("sudo -k -S -p {} {script}", quoted(marker))
        };
        let mut child = ssh.start(&remote, false)?;
        let gone = || ssh.lost("ssh has no streams");
        let stdin = child.stdin.take().ok_or_else(gone)?;
        let stdout = BufReader::new(child.stdout.take().ok_or_else(gone)?);
        let stderr = child.stderr.take().ok_or_else(gone)?;
        let mut root = Self {
            ssh,
            child,
            stdin,
            stdout,
            stderr,
            heard: String::new(),
            touched: false,
        };
        root.wait_until_ready(marker, sudo).await?;
        Ok(root)
    }

    async fn wait_until_ready(&mut self, marker: &str, sudo: &mut dyn Dialogue) -> Result<(), ContactError> {
        let mut line = String::new();
        let mut chunk = [0; 4096];
        let mut asked = false;
        loop {
            tokio::select! {
                read = self.stdout.read_line(&mut line) => match read {
                    Ok(0) | Err(_) => return Err(self.refused(asked).await),
                    Ok(_) if line.trim_end() == READY => return Ok(()),
                    Ok(_) => line.clear(),
                },
                read = self.stderr.read(&mut chunk) => match read {
                    Ok(0) | Err(_) => return Err(self.refused(asked).await),
                    Ok(length) => {
                        self.heard.push_str(&String::from_utf8_lossy(&chunk[..length]));
                        let prompts = self.heard.matches(marker).count();
                        if prompts > usize::from(asked) {
                            if asked {
                                return Err(ContactError::WrongPassword { node: self.ssh.node.clone() });
                            }
                            asked = true;
                            let mut password = sudo.password(&self.ssh.node).await?.into_bytes();
                            password.push(b'\n');
                            self.send(&password).await?;
                        }
                    }
                },
                () = tokio::time::sleep(PATIENCE) => return Err(self.ssh.lost("sudo did not answer")),
            }
        }
    }

    async fn refused(&mut self, asked: bool) -> ContactError {
        let mut rest = String::new();
        let _ = tokio::time::timeout(Duration::from_secs(5), self.stderr.read_to_string(&mut rest)).await;
        self.heard.push_str(&rest);
        let node = self.ssh.node.clone();
        let words = said(&self.heard);
        let told = words.lines().last().unwrap_or("nothing").to_owned();
        if asked && (words.contains("incorrect password") || words.contains("no password was provided")) {
            ContactError::WrongPassword { node }
        } else if words.contains("sudoers") || words.contains("not allowed") {
            ContactError::NoSudo { node, told }
        } else {
            self.ssh.lost(told)
        }
    }

    /// One order, and the lines of its answer.
    ///
    /// # Errors
    /// What the node says, or that the connection is gone.
    pub async fn order(&mut self, order: &str) -> Result<Vec<String>, ContactError> {
        self.touched |= matches!(order, "KEY" | "START");
        self.send(format!("{order}\n").as_bytes()).await?;
        self.answer().await
    }

    /// Puts a file in its place, whole or not at all.
    ///
    /// # Errors
    /// As [`Self::order`].
    pub async fn put(&mut self, part: &Part) -> Result<(), ContactError> {
        let order = format!(
            "FILE {:o} {} {} {}\n",
            part.mode,
            part.bytes.len(),
            part.sha256(),
            part.path
        );
        self.touched = true;
        self.send(order.as_bytes()).await?;
        // A node that refuses stops reading: its answer says more than the broken pipe.
        let _ = self.send(&part.bytes).await;
        self.answer().await.map(drop)
    }

    fn lost(&self, problem: impl Into<String>) -> ContactError {
        match self.ssh.lost(problem) {
            ContactError::Unreachable {
                node,
                destination,
                problem,
            } if self.touched => ContactError::Interrupted {
                node,
                destination,
                problem,
            },
            untouched => untouched,
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), ContactError> {
        let sent = async {
            self.stdin.write_all(bytes).await?;
            self.stdin.flush().await
        };
        match tokio::time::timeout(PATIENCE, sent).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(source)) => Err(self.lost(format!("the connection broke ({source})"))),
            Err(_) => Err(self.lost("the node stopped reading")),
        }
    }

    async fn answer(&mut self) -> Result<Vec<String>, ContactError> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let read = tokio::time::timeout(PATIENCE, self.stdout.read_line(&mut line)).await;
            match read {
                Ok(Ok(length)) if length > 0 => {}
                Ok(_) => return Err(self.lost("the connection broke while the node worked")),
                Err(_) => return Err(self.lost("the node did not answer")),
            }
            let line = line.trim_end();
            if line == "OK" {
                return Ok(lines);
            }
            if let Some(problem) = line.strip_prefix("ERR ") {
                return Err(ContactError::Node {
                    node: self.ssh.node.clone(),
                    problem: problem.to_owned(),
                });
            }
            lines.push(line.to_owned());
        }
    }

    /// Ends the shell.
    pub async fn close(mut self) {
        let _ = self.order("QUIT").await;
        drop(self.stdin);
        let _ = tokio::time::timeout(Duration::from_secs(5), self.child.wait()).await;
    }
}

/// For the login shell on the other side.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    let _ = write!(quoted, "{}", text.replace('\'', r"'\''"));
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests;
