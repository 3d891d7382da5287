//! A lab, for its user: boots nodes, breaks them, and looks at them from outside.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;

use crate::control::{Control, Reply, Request, Status};
use crate::keys;
use crate::machine::Node;
use crate::node::NodeHandle;
use crate::run::program;
use crate::{image, programs};

/// Longest time until a supervisor has built its lab: a KVM probe and three copies of the card.
const TO_START: Duration = Duration::from_secs(60);

/// A running lab.
#[derive(Debug)]
pub struct Lab {
    folder: PathBuf,
    supervisor: u32,
    nodes: Vec<String>,
    control: Mutex<Control>,
    ends_with_us: bool,
}

/// `target/lab` of this clone, the default folder.
pub fn usual_folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"))
        .join("lab")
}

impl Lab {
    /// Makes what is missing (programs, image) and starts a lab with `count` nodes, all off, in `folder`. With
    /// `ends_with_us` the lab ends when the value is dropped or the process dies; otherwise it runs until
    /// [`Lab::down`]. Fails when one runs there already, or a step fails.
    pub fn create(folder: &Path, count: usize, ends_with_us: bool) -> Result<Self> {
        programs::ensure()?;
        let image = image::ensure()?;
        fs::create_dir_all(folder)?;
        let folder = fs::canonicalize(folder)?;
        if Control::connect(&folder).is_ok() {
            bail!(
                "a lab runs in {} already; end it with: cargo xtask lab down",
                folder.display()
            );
        }
        keys::prepare(&folder, &Node::fleet(count))?;
        let log_path = folder.join("supervisor.log");
        let log = File::create(&log_path)?;
        let mut supervisor = program("setsid", ["unshare"]);
        supervisor
            .arg(if geteuid().is_root() { "-n" } else { "-Urn" })
            .arg(std::env::current_exe()?);
        supervisor
            .arg("--folder")
            .arg(&folder)
            .args(["supervise", "--nodes", &count.to_string()])
            .arg(&image);
        // Otherwise the caller's pipe stays open as long as the lab runs.
        supervisor.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut started = supervisor.spawn().context("cannot start the lab's supervisor")?;
        let until = Instant::now() + TO_START;
        loop {
            if let Ok(mut control) = Control::connect(&folder) {
                if ends_with_us {
                    control.ask(&Request::Hold)?;
                }
                return Self::over(folder, control, ends_with_us);
            }
            let gone = started.try_wait()?.is_some_and(|status| !status.success());
            if gone || Instant::now() > until {
                bail!(
                    "the lab does not start: {}",
                    fs::read_to_string(&log_path).unwrap_or_default().trim()
                );
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Connects to the lab in `folder`. Fails when none runs there.
    pub fn connect(folder: &Path) -> Result<Self> {
        let control = Control::connect(folder)?;
        Self::over(fs::canonicalize(folder)?, control, false)
    }

    fn over(folder: PathBuf, mut control: Control, ends_with_us: bool) -> Result<Self> {
        let status = control.status()?;
        let nodes = status.nodes.into_iter().map(|node| node.name).collect();
        Ok(Self {
            folder,
            supervisor: status.supervisor,
            nodes,
            control: Mutex::new(control),
            ends_with_us,
        })
    }

    /// Starts the `wanted` nodes and waits for all of them. Fails when one does not start.
    pub fn boot(&self, wanted: impl Fn(&str) -> bool) -> Result<()> {
        let wanted = || self.nodes().filter(|node| wanted(node.name()));
        for node in wanted() {
            node.start()?;
        }
        wanted().try_for_each(|node| node.wait_ready())
    }

    /// The node of that name. Fails when there is none.
    pub fn node(&self, name: &str) -> Result<NodeHandle<'_>> {
        let found = self.nodes().find(|node| node.name() == name);
        found.with_context(|| format!("no node {name} in this lab; there are {}", self.nodes.join(", ")))
    }

    /// All nodes, in order.
    pub fn nodes(&self) -> impl Iterator<Item = NodeHandle<'_>> {
        self.nodes.iter().map(|name| NodeHandle::new(self, name))
    }

    /// The lab's folder: logs, disks, keys.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A program that will run in the lab's network, with the person's `ssh` first in PATH.
    pub fn command(&self, name: &str, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = program("nsenter", ["--target", &self.supervisor.to_string(), "--net"]);
        if !geteuid().is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.folder.join("bin").display()));
        command.arg("--").arg(name).args(args);
        command
    }

    /// The nodes and what runs. Fails when the supervisor has ended.
    pub fn status(&self) -> Result<Status> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner).status()
    }

    pub(crate) fn ask(&self, request: &Request) -> Result<Reply> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner).ask(request)
    }

    /// Ends the lab, and returns when nothing of it runs. Cards and disks stay until `wipe`. Fails when it does not
    /// end.
    pub fn down(&self) -> Result<()> {
        self.ask(&Request::Down)?;
        let until = Instant::now() + TO_START;
        while Control::connect(&self.folder).is_ok() {
            if Instant::now() > until {
                bail!("the lab's supervisor (process {}) does not end", self.supervisor);
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if self.ends_with_us {
            // If this fails, the supervisor notices the end of the connection.
            let _ = self.down();
        }
    }
}
