//! One node, for a test.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::control::{NodeAction, NodeStatus, Request};
use crate::disk::Disk;
use crate::keys::Who;
use crate::lab::Lab;
use crate::machine::{self, Network};
use crate::run::{Finished, finish};
use crate::supervisor::DISK_BYTES;

/// Longest boot. Three nodes at once on two idle cores need two or three minutes; a machine that also compiles is far
/// slower.
const TO_BOOT: Duration = Duration::from_secs(1800);

/// ssh's exit code when the node does not answer (ssh(1)).
const NO_ANSWER: i32 = 255;

/// A node of a running lab.
#[derive(Debug, Clone, Copy)]
pub struct NodeHandle<'a> {
    lab: &'a Lab,
    name: &'a str,
}

impl<'a> NodeHandle<'a> {
    pub(crate) fn new(lab: &'a Lab, name: &'a str) -> Self {
        Self { lab, name }
    }

    /// Host name.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Runs a command line as the person. Fails when ssh cannot be started; a failing command is a result.
    pub fn ssh(&self, line: &str) -> Result<Finished> {
        let mut command = self.lab.command("/usr/bin/ssh", ["-F"]);
        command
            .arg(Who::Person.config(self.lab.folder()))
            .args(["-o", "BatchMode=yes", self.name, line]);
        finish(command.stdin(Stdio::null()))
    }

    /// Runs a shell script as root with the lab's own key. Fails when ssh cannot be started; a failing script is a
    /// result, with code 255 when the node does not answer.
    pub fn root(&self, script: &str) -> Result<Finished> {
        let config = Who::Lab.config(self.lab.folder());
        let mut command = self.lab.command("/usr/bin/ssh", ["-F"]);
        command.arg(config).args([self.name, "LC_ALL=C.UTF-8 bash -s"]);
        let mut ssh = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        // A node that goes away closes the pipe; the exit code then says so.
        let _ = ssh
            .stdin
            .take()
            .context("ssh has no standard input")?
            .write_all(script.as_bytes());
        let done: Finished = ssh.wait_with_output()?.into();
        if done.code == NO_ANSWER {
            self.hang_up()?;
        }
        Ok(done)
    }

    /// Closes the shared connection, so that the next command connects again.
    fn hang_up(&self) -> Result<()> {
        let mut command = self.lab.command("/usr/bin/ssh", ["-F"]);
        command
            .arg(Who::Lab.config(self.lab.folder()))
            .args(["-O", "exit", self.name]);
        // There may be none.
        command.stdin(Stdio::null()).output()?;
        Ok(())
    }

    /// As [`NodeHandle::root`], but returns stdout. Fails when the script fails.
    pub fn must(&self, script: &str) -> Result<String> {
        self.root(script)?
            .success()
            .with_context(|| format!("{}: {script}", self.name))
    }

    /// Copies a file of this machine to the node. Fails when the copy fails.
    pub fn put(&self, from: &Path, to: &str) -> Result<()> {
        let config = Who::Lab.config(self.lab.folder());
        let mut command = self.lab.command("/usr/bin/ssh", ["-F"]);
        command
            .arg(config)
            .args([self.name, &format!("cat > {to} && sync {to}")]);
        let file = File::open(from).with_context(|| format!("no {}", from.display()))?;
        finish(command.stdin(file))?.success().map(drop)
    }

    /// Waits until sshd answers; cloud-init may still restart it. Fails when it does not answer within half an hour.
    pub fn wait_ssh(&self) -> Result<()> {
        self.hang_up()?;
        self.wait("true", "sshd does not answer")
    }

    /// Waits until cloud-init and systemd have finished the boot. Fails when they have not within half an hour.
    pub fn wait_ready(&self) -> Result<()> {
        let done = "systemctl is-system-running --wait >/dev/null; [ -e /run/cloud-init/result.json ] || [ -e /etc/cloud/cloud-init.disabled ]";
        self.wait(done, "it has not finished booting")
    }

    /// Waits until the node has started more than `before` times, which shows a reset. Fails when it has not within
    /// half an hour.
    pub fn wait_restart(&self, before: u32) -> Result<()> {
        let until = Instant::now() + TO_BOOT;
        while self.status()?.starts <= before {
            if Instant::now() > until {
                bail!("{} has not restarted for {} s", self.name, TO_BOOT.as_secs());
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    fn wait(&self, script: &str, otherwise: &str) -> Result<()> {
        let until = Instant::now() + TO_BOOT;
        loop {
            let seen = self.root(script)?;
            if seen.ok() {
                return Ok(());
            }
            if Instant::now() > until {
                bail!(
                    "{}: {otherwise} for {} s: {}",
                    self.name,
                    TO_BOOT.as_secs(),
                    seen.stderr.trim()
                );
            }
            thread::sleep(Duration::from_millis(500));
        }
    }

    /// The node's state from the supervisor. Fails when the supervisor has ended.
    pub fn status(&self) -> Result<NodeStatus> {
        let found = self.lab.status()?.nodes.into_iter().find(|node| node.name == self.name);
        found.with_context(|| format!("the lab has lost {}", self.name))
    }

    /// Switches on. Fails when qemu does not start.
    pub fn start(&self) -> Result<()> {
        self.ask(NodeAction::Start)?;
        self.hang_up()
    }

    /// Pulls the plug. Fails when the supervisor refuses.
    pub fn cut(&self) -> Result<()> {
        self.ask(NodeAction::Cut)?;
        self.hang_up()
    }

    /// Presses reset. Fails when the node is off.
    pub fn reset(&self) -> Result<()> {
        self.ask(NodeAction::Reset)?;
        self.hang_up()
    }

    /// Puts a fresh card into the node, which must be off. Its disks stay. Fails when the node is on.
    pub fn reflash(&self) -> Result<()> {
        self.ask(NodeAction::Reflash)
    }

    /// Pulls (`up` false) or plugs a cable at the switch. Fails when the supervisor refuses.
    pub fn link(&self, network: Network, up: bool) -> Result<()> {
        self.ask(NodeAction::Link(network, up))?;
        self.hang_up()
    }

    /// Takes a network card out, or plugs it into that USB port. Fails when the node is off, or the card is not there.
    pub fn card(&self, network: Network, port: Option<u8>) -> Result<()> {
        self.ask(NodeAction::Card(network, port))
    }

    /// Adds a disk of 2 GiB; a new serial gives a blank disk. Fails when it is in a node already.
    pub fn add_disk(&self, serial: &str) -> Result<()> {
        self.add_disk_sized(serial, DISK_BYTES)
    }

    /// Waits until udev has named the disk. Fails when it has not within twenty seconds.
    pub fn wait_disk(&self, serial: &str) -> Result<()> {
        let device = machine::by_id(serial);
        let script = format!("for i in $(seq 100); do [ -b {device} ] && exit; sleep 0.2; done; exit 1");
        self.must(&script).map(drop)
    }

    /// As [`NodeHandle::add_disk`]; a new disk gets `size_bytes`. Fails when it is in a node already.
    pub fn add_disk_sized(&self, serial: &str, size_bytes: u64) -> Result<()> {
        self.ask(NodeAction::Attach(serial.to_owned(), size_bytes))
    }

    /// Pulls a disk; its content stays. Fails when it is not in the node.
    pub fn remove_disk(&self, serial: &str) -> Result<()> {
        self.ask(NodeAction::Detach(serial.to_owned()))
    }

    /// Serials of the disks in the node, by slot. Fails when the supervisor has ended.
    pub fn serials(&self) -> Result<Vec<String>> {
        Ok(self.status()?.disks.into_iter().flatten().collect())
    }

    /// The disk with that serial, from outside.
    pub fn disk(&self, serial: &str) -> Disk {
        Disk::new(self.lab.folder().join(machine::disk(serial)))
    }

    fn ask(&self, action: NodeAction) -> Result<()> {
        self.lab.ask(&Request::Node(self.name.to_owned(), action)).map(drop)
    }
}
