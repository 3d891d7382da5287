//! What is said between the lab's supervisor and whoever drives the lab: one JSON value a line over a Unix socket.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use serde::{Deserialize, Serialize};

use crate::machine::Network;

/// Name of the socket in the lab's folder.
pub const SOCKET: &str = "control.sock";

/// What is asked of the lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Who is there and what runs.
    Status,
    /// Something with the node of that name.
    Node(String, NodeAction),
    /// The lab ends when this connection does.
    Hold,
    /// Everything off.
    Down,
}

/// What is asked of one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeAction {
    /// Power on; nothing when it is on.
    Start,
    /// Power off at once, as when the plug is pulled.
    Cut,
    /// The reset button.
    Reset,
    /// A card fresh from the flasher in place of the present one; the node must be off.
    Reflash,
    /// Puts the disk of that serial in the lowest free slot, hot when the node runs.
    /// One that does not exist yet is made, blank, of that many bytes.
    Attach(String, u64),
    /// Takes the disk of that serial out, hot when the node runs. Its content stays.
    Detach(String),
    /// Pulls a network card out (`None`), or plugs it into that USB port, hot.
    Card(Network, Option<u8>),
    /// Plugs (`true`) or pulls a cable at the switch.
    Link(Network, bool),
}

/// What the supervisor answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Done.
    Done,
    /// The lab as it is.
    Status(Status),
    /// Not done, and why.
    Refused(String),
}

/// The lab as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Process id of the supervisor, whose network namespace is the lab's.
    pub supervisor: u32,
    /// In the order of the fleet.
    pub nodes: Vec<NodeStatus>,
}

/// One node as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Host name.
    pub name: String,
    /// Address on the LAN.
    pub address: String,
    /// Whether qemu runs.
    pub running: bool,
    /// How often it has been started since the lab is up.
    pub starts: u32,
    /// Serial in each slot.
    pub disks: Vec<Option<String>>,
}

/// A connection to the supervisor.
#[derive(Debug)]
pub struct Control {
    stream: BufReader<UnixStream>,
}

impl Control {
    /// Connects to the lab in `folder`.
    ///
    /// # Errors
    /// When no lab runs there.
    pub fn connect(folder: &Path) -> Result<Self> {
        let advice = || format!("no lab runs in {}; start one: cargo xtask lab up", folder.display());
        let opened = File::open(folder).with_context(advice)?;
        // A socket's address holds 107 bytes, fewer than many a path.
        let short = format!("/proc/self/fd/{}/{SOCKET}", opened.as_raw_fd());
        let stream = UnixStream::connect(short).with_context(advice)?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// When the supervisor refuses or goes away.
    pub fn ask(&mut self, request: &Request) -> Result<Reply> {
        writeln!(self.stream.get_mut(), "{}", serde_json::to_string(request)?)
            .context("the lab's supervisor has gone")?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        match serde_json::from_str(&line)
            .context("the lab's supervisor has gone; its log: supervisor.log in the lab's folder")?
        {
            Reply::Refused(why) => Err(anyhow!(why)),
            reply => Ok(reply),
        }
    }

    /// The lab as it is.
    ///
    /// # Errors
    /// When the supervisor goes away.
    pub fn status(&mut self) -> Result<Status> {
        match self.ask(&Request::Status)? {
            Reply::Status(status) => Ok(status),
            other => bail!("the supervisor answered {other:?} when asked for its status"),
        }
    }
}
