use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::time::{Instant, timeout, timeout_at};

use super::Result;
use super::hostkey::Fingerprint;
use super::lines::Lines;
use super::ssh::{Ssh, is_noise};

/// After a command has ended, its last output arrives within this time.
const GRACE: Duration = Duration::from_secs(5);
/// Last lines kept to explain a failure.
const KEPT: usize = 20;

/// Shows the person a line.
pub type Say<'a> = &'a mut (dyn FnMut(&str) + Send);

/// A running command on the node. Output that is not an answer to us is shown at once.
pub struct Login<'a> {
    pub ssh: &'a Ssh,
    child: Child,
    stdin: Option<ChildStdin>,
    out: Lines<ChildStdout>,
    err: Lines<ChildStderr>,
    prompt: String,
    /// Whether this is sudo-rs before 0.2.5, which only has its own prompt.
    pub own_prompt: bool,
    /// ssh has opened the session and asks the person nothing more.
    opened: bool,
    begun: bool,
    host_key: Option<Fingerprint>,
    words: Vec<String>,
}

/// What the command did next.
pub enum LoginEvent {
    /// A line of our script, without its mark.
    Line(String),
    /// sudo asks for the password.
    Asked,
    /// Nothing came within the limit.
    Timeout,
    /// The command ended with this exit code of ssh.
    End(i32),
}

impl<'a> Login<'a> {
    /// Starts `script` on the node; `more` is its `$2`. Fails when ssh is not installed.
    pub async fn start(ssh: &'a Ssh, script: &str, more: &str) -> Result<Login<'a>> {
        let mut child = ssh.start(&remote(&ssh.mark, script, more)).await?;
        let gone = || ssh.lost("ssh has no streams");
        Ok(Self {
            ssh,
            stdin: child.stdin.take(),
            out: Lines::of(child.stdout.take().ok_or_else(gone)?),
            err: Lines::of(child.stderr.take().ok_or_else(gone)?),
            child,
            prompt: format!("[sudo {}]", ssh.mark),
            own_prompt: false,
            opened: false,
            begun: false,
            host_key: None,
            words: Vec::new(),
        })
    }

    /// Waits for the next item, at most `limit`. Before our script runs, and while ssh may ask the person, ssh's own
    /// patience counts instead.
    pub async fn next_event(&mut self, limit: Duration, say: Say<'_>) -> LoginEvent {
        let mut until = Instant::now() + self.limit(limit);
        loop {
            let opened = self.opened;
            if let Some(event) = self.next(say) {
                return event;
            }
            if self.opened != opened {
                until = Instant::now() + self.limit(limit);
            }
            if self.out.has_ended() {
                return self.end(say).await;
            }
            // An error ends the stream, which the next round sees.
            tokio::select! {
                biased;
                _ = self.out.more() => {}
                _ = self.err.more(), if !self.err.has_ended() => {}
                () = tokio::time::sleep_until(until) => return LoginEvent::Timeout,
            }
        }
    }

    const fn limit(&self, limit: Duration) -> Duration {
        match (self.opened, self.begun) {
            (_, true) => limit,
            (true, false) => self.ssh.patience.begin,
            (false, false) => self.ssh.patience.login,
        }
    }

    fn next(&mut self, say: Say<'_>) -> Option<LoginEvent> {
        while let Some(line) = self.err.line() {
            if let Some(at) = self.prompt(&line) {
                self.show(&line[..at], say);
                return Some(LoginEvent::Asked);
            }
            self.take_in(&line, say);
        }
        let begun = self.err.begun();
        if let Some(at) = self.prompt(&begun) {
            self.err.drop_begun();
            self.show(&begun[..at], say);
            return Some(LoginEvent::Asked);
        }
        while let Some(line) = self.out.line() {
            match line
                .strip_prefix(&self.ssh.mark)
                .and_then(|rest| rest.strip_prefix(' '))
            {
                Some("begin") => {
                    self.begun = true;
                    return Some(LoginEvent::Line("begin".into()));
                }
                Some(ours) => return Some(LoginEvent::Line(ours.to_owned())),
                None => self.show(&line, say),
            }
        }
        None
    }

    /// Where sudo's prompt begins in `text`.
    fn prompt(&self, text: &str) -> Option<usize> {
        let own = self.own_prompt && text.trim_end().ends_with("assword:");
        let at = text.find("[sudo: ").filter(|_| own);
        at.or_else(|| text.find(&self.prompt)).filter(|_| self.begun)
    }

    /// Reads what is left on stderr after stdout was closed, and the exit code.
    async fn end(&mut self, say: Say<'_>) -> LoginEvent {
        let until = Instant::now() + GRACE;
        while !self.err.has_ended() && timeout_at(until, self.err.more()).await.is_ok() {}
        while let Some(line) = self.err.line() {
            self.take_in(&line, say);
        }
        let rest = self.err.begun();
        self.show(&rest, say);
        self.err.drop_begun();
        let status = timeout(GRACE, self.child.wait()).await;
        LoginEvent::End(
            status
                .ok()
                .and_then(Result::ok)
                .and_then(|status| status.code())
                .unwrap_or(255),
        )
    }

    /// Handles a line of ssh or of the node.
    fn take_in(&mut self, line: &str, say: Say<'_>) {
        if let Some(debug) = line.strip_prefix("debug1: ") {
            if debug.starts_with("Sending command: ") {
                self.opened = true;
            } else if let Some(key) = debug
                .strip_prefix("Server accepts key: ")
                .filter(|key| key.contains("-SK "))
            {
                // ssh shows this only on a terminal, and its stderr is a pipe here.
                say(&format!(
                    "{}: touch your security key when it blinks ({key})",
                    self.ssh.node
                ));
            } else if !self.opened
                && let Some(shown) = Fingerprint::in_debug(debug)
            {
                // Keeps the last key before the session: a jump host's key comes before the node's.
                self.host_key = Some(shown);
            }
        } else if !is_noise(line) {
            self.show(line, say);
        }
    }

    /// Shows output that is not an answer to us.
    fn show(&mut self, line: &str, say: Say<'_>) {
        let line: String = line.trim_end().chars().take(400).collect();
        if line.trim().is_empty() || self.words.contains(&line) {
            return;
        }
        if self.ssh.shown_first(&line) {
            say(&format!("{}: {line}", self.ssh.node));
        }
        if self.words.len() == KEPT {
            self.words.remove(0);
        }
        self.words.push(line);
    }

    /// Writes to the command's stdin. Its error: why the bytes could not be sent within `limit`.
    pub async fn send(&mut self, bytes: &[u8], limit: Duration) -> Result<(), String> {
        let stdin = self.stdin.as_mut().ok_or("its input is closed")?;
        let sent = async {
            stdin.write_all(bytes).await?;
            stdin.flush().await
        };
        match timeout(limit, sent).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(source)) => Err(format!("the connection broke ({source})")),
            Err(_) => Err("the node stopped reading".to_owned()),
        }
    }

    pub fn close_input(&mut self) {
        self.stdin = None;
    }

    /// Waits a moment for the command to end.
    pub async fn wait(&mut self) {
        let _ = timeout(GRACE, self.child.wait()).await;
    }

    pub const fn has_opened(&self) -> bool {
        self.opened
    }

    pub const fn has_begun(&self) -> bool {
        self.begun
    }

    /// The host key of the node (not of a jump host); None before it was shown.
    pub const fn host_key(&self) -> Option<&Fingerprint> {
        self.host_key.as_ref()
    }

    /// The last 20 lines that were not answers to us, and an unfinished line such as a prompt.
    pub fn words(&self) -> String {
        let question = [self.err.begun(), self.out.begun()];
        let question = question.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
        let all = self.words.iter().map(String::as_str).chain(question);
        all.collect::<Vec<_>>().join("\n")
    }
}

/// The command line for the remote login shell. One line, because ssh's debug output repeats it: further lines would
/// not begin with ssh's own prefix.
fn remote(mark: &str, script: &str, more: &str) -> String {
    let unfold = r#"eval "$(printf "%s\n" "$1" | tr "\036" "\n")""#;
    let [unfold, script, more] = [unfold, script, more].map(|text| quoted(&text.replace('\n', "\u{1e}")));
    format!("sh -c {unfold} {mark} {script} {more}")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
