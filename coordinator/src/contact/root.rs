use super::login::{Login, LoginEvent};
use super::payload::Part;
use super::ssh::Ssh;
use super::{ContactError, Dialogue, Host, Result, reasons};

const LOGIN: &str = include_str!("login.sh");
const SCRIPT: &str = include_str!("installer.sh");
/// Longest answer to one order, in bytes: a copy of 64 MiB in base64.
const LONGEST: usize = 96 << 20;

/// A root shell on the node that takes orders; `installer.sh` lists them.
pub struct Root<'a> {
    login: Login<'a>,
    /// Whether an order was given that changes something.
    touched: bool,
}

impl<'a> Root<'a> {
    /// Opens the shell. Sends the password once, and only after sudo's own prompt, which carries the mark of this
    /// contact. Sends the first order only after the script says that it runs. So a password is never taken for an
    /// order, nor an order for a password. Its error: wrong password, no right to use sudo, or connection lost.
    pub async fn open(ssh: &'a Ssh, person: &mut dyn Dialogue) -> Result<Root<'a>> {
        let mut root = Self {
            login: Login::start(ssh, LOGIN, SCRIPT).await?,
            touched: false,
        };
        root.wait_until_ready(person).await?;
        Ok(root)
    }

    async fn wait_until_ready(&mut self, person: &mut dyn Dialogue) -> Result<()> {
        let ssh = self.login.ssh;
        let mut asked = false;
        loop {
            match self
                .login
                .next_event(ssh.patience.sudo, &mut |text| person.say(text))
                .await
            {
                LoginEvent::Line(word) => match word.as_str() {
                    "ready" => return Ok(()),
                    "sudo-rs" => self.login.own_prompt = true,
                    "no-sudo" => {
                        return Err(ContactError::NoSudo {
                            node: ssh.node.clone(),
                            told: "sudo is not installed".to_owned(),
                            next: "log in as root with --ssh root@HOST, or install sudo on the node".to_owned(),
                        });
                    }
                    _ => {}
                },
                LoginEvent::Asked if asked => {
                    return Err(ContactError::WrongPassword { node: ssh.node.clone() });
                }
                LoginEvent::Asked => {
                    asked = true;
                    let host = Host {
                        node: &ssh.node,
                        destination: &ssh.destination,
                        key: self.login.host_key(),
                        known: ssh.known,
                    };
                    let mut password = person.password(&host).await?.into_bytes();
                    password.push(b'\n');
                    self.send(&password).await?;
                }
                LoginEvent::Timeout if !self.login.has_begun() => return Err(ssh.stopped(&self.login, None)),
                LoginEvent::Timeout => return Err(self.no_sudo("sudo did not answer")),
                LoginEvent::End(code) => return Err(self.refused(asked, code)),
            }
        }
    }

    fn refused(&self, asked: bool, code: i32) -> ContactError {
        let ssh = self.login.ssh;
        let words = self.login.words();
        if code == 255 {
            ssh.lost(words.lines().last().unwrap_or("ssh printed nothing"))
        } else if !self.login.has_begun() {
            ssh.stopped(&self.login, Some(code))
        } else if asked
            && [
                "incorrect password",
                "no password was provided",
                "incorrect authentication",
            ]
            .iter()
            .any(|told| words.contains(told))
        {
            ContactError::WrongPassword { node: ssh.node.clone() }
        } else {
            self.no_sudo(&format!("sudo ended with code {code}"))
        }
    }

    fn no_sudo(&self, otherwise: &str) -> ContactError {
        let ssh = self.login.ssh;
        let words = self.login.words();
        ContactError::NoSudo {
            node: ssh.node.clone(),
            next: reasons::of_sudo(&words, &ssh.destination),
            told: if words.is_empty() { otherwise.to_owned() } else { words },
        }
    }

    /// Gives one order and returns the lines of its answer. Its error: the node's message, or a lost connection.
    pub async fn order(&mut self, order: &str) -> Result<Vec<String>> {
        self.touched |= matches!(order, "KEY" | "START");
        self.send(format!("{order}\n").as_bytes()).await?;
        self.answer().await
    }

    /// Replaces a file completely or not at all. Fails as [`Self::order`].
    pub async fn put(&mut self, part: &Part) -> Result<()> {
        let order = format!(
            "FILE {:o} {} {} {}\n",
            part.mode,
            part.bytes.len(),
            part.sha256(),
            part.path
        );
        self.touched = true;
        self.send(order.as_bytes()).await?;
        // A node that refuses stops reading; its answer says more than the broken pipe.
        let _ = self.send(&part.bytes).await;
        self.answer().await.map(drop)
    }

    fn lost(&self, problem: impl Into<String>) -> ContactError {
        match self.login.ssh.lost(problem) {
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

    async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let sent = self.login.send(bytes, self.login.ssh.patience.order).await;
        sent.map_err(|problem| self.lost(problem))
    }

    async fn answer(&mut self) -> Result<Vec<String>> {
        let (mut lines, mut length) = (Vec::new(), 0);
        loop {
            let event = self.login.next_event(self.login.ssh.patience.order, &mut |_| {}).await;
            let line = match event {
                LoginEvent::Line(line) => line,
                LoginEvent::Asked => continue,
                LoginEvent::Timeout => return Err(self.lost("the node did not answer")),
                LoginEvent::End(_) => return Err(self.lost("the connection broke while the node worked")),
            };
            if line == "ok" {
                return Ok(lines);
            }
            if let Some(problem) = line.strip_prefix("err ") {
                return Err(ContactError::Node {
                    node: self.login.ssh.node.clone(),
                    problem: problem.to_owned(),
                });
            }
            length += line.len();
            if length > LONGEST {
                return Err(self.lost("the node's answer is incomplete"));
            }
            lines.push(line.strip_prefix(": ").unwrap_or(&line).to_owned());
        }
    }

    pub async fn close(mut self) {
        let _ = self.order("QUIT").await;
        self.login.close_input();
        self.login.wait().await;
    }
}

#[cfg(test)]
mod tests;
