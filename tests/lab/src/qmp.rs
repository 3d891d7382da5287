//! The QEMU Machine Protocol (QMP): one JSON value a line.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to one machine.
#[derive(Debug)]
pub struct Qmp {
    reader: BufReader<UnixStream>,
    partial: String,
    events: Vec<Value>,
}

impl Qmp {
    /// Connects and leaves negotiation mode. Fails when nothing listens at `path`, or it does not speak QMP.
    pub fn connect(path: &Path) -> Result<Self> {
        let stream = UnixStream::connect(path).with_context(|| format!("cannot reach qemu at {}", path.display()))?;
        stream.set_read_timeout(Some(Duration::from_millis(500)))?;
        let mut qmp = Self {
            reader: BufReader::new(stream),
            partial: String::new(),
            events: Vec::new(),
        };
        qmp.next(Instant::now() + PATIENCE)?.context("qemu sent no greeting")?;
        qmp.execute("qmp_capabilities", &json!({}))?;
        Ok(qmp)
    }

    /// Runs a command and returns its value. Its error: qemu's error, or no answer.
    pub fn execute(&mut self, command: &str, arguments: &Value) -> Result<Value> {
        let line = json!({"execute": command, "arguments": arguments});
        writeln!(self.reader.get_mut(), "{line}").with_context(|| format!("cannot send {command} to qemu"))?;
        let until = Instant::now() + PATIENCE;
        while let Some(mut message) = self.next(until)? {
            if let Some(error) = message.get("error") {
                bail!(
                    "qemu refuses {command}: {}",
                    error["desc"].as_str().unwrap_or("without a reason")
                );
            }
            if message.get("return").is_some() {
                return Ok(message["return"].take());
            }
            self.events.push(message);
        }
        bail!("qemu has not answered {command} for {} s", PATIENCE.as_secs())
    }

    /// Waits for an event of that name that `matches`; events received before count too. Fails when it does not come in
    /// time.
    pub fn wait_for(&mut self, name: &str, within: Duration, matches: impl Fn(&Value) -> bool) -> Result<Value> {
        let until = Instant::now() + within;
        loop {
            let wanted = |event: &Value| event["event"] == name && matches(&event["data"]);
            if let Some(found) = self.events.iter().position(wanted) {
                return Ok(self.events.remove(found)["data"].take());
            }
            match self.next(until)? {
                Some(event) => self.events.push(event),
                None => bail!("qemu has not reported {name} for {} s", within.as_secs()),
            }
        }
    }

    /// Why the machine went down: `guest-reset`, `guest-shutdown`; None when qemu was killed. Call it after qemu has
    /// ended.
    pub fn last_words(mut self) -> Option<String> {
        while let Ok(Some(event)) = self.next(Instant::now()) {
            self.events.push(event);
        }
        let down = self.events.iter().rev().find(|event| event["event"] == "SHUTDOWN")?;
        down["data"]["reason"].as_str().map(str::to_owned)
    }

    /// The next message; None after `until` or at the end of the stream.
    fn next(&mut self, until: Instant) -> Result<Option<Value>> {
        loop {
            match self.reader.read_line(&mut self.partial) {
                Ok(0) => return Ok(None),
                Ok(_) if self.partial.ends_with('\n') => {
                    let message =
                        serde_json::from_str(&self.partial).context("qemu sent something that is not JSON")?;
                    self.partial.clear();
                    return Ok(Some(message));
                }
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if Instant::now() >= until {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(error).context("lost qemu"),
            }
        }
    }
}
