//! The protocol between the lab's supervisor and its clients: one JSON value a line over a Unix socket.

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

/// A request to the supervisor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Report the nodes and what runs.
    Status,
    /// Do something with the node of that name.
    Node(String, NodeAction),
    /// End the lab when this connection ends.
    Hold,
    /// Switch everything off.
    Down,
}

/// An action on one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeAction {
    /// Power on; nothing when it is on.
    Start,
    /// Power off at once, as when the plug is pulled.
    Cut,
    /// The reset button.
    Reset,
    /// Replace the card by a freshly flashed one; the node must be off.
    Reflash,
    /// Put the disk with that serial into the lowest free slot, hot when the node runs. A disk that does not exist is
    /// made blank, with that many bytes.
    Attach(String, u64),
    /// Take the disk with that serial out, hot when the node runs. Its content stays.
    Detach(String),
    /// Take a network card out (`None`), or plug it into that USB port, hot.
    Card(Network, Option<u8>),
    /// Plug (`true`) or pull the cable at the switch.
    Link(Network, bool),
}

/// The supervisor's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Done.
    Done,
    /// The state of the lab.
    Status(Status),
    /// Not done; the reason.
    Refused(String),
}

/// The state of the lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Process id of the supervisor, which owns the lab's network namespace.
    pub supervisor: u32,
    /// In the order of the fleet.
    pub nodes: Vec<NodeStatus>,
}

/// The state of one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Host name of the node, as in the fleet.
    pub name: String,
    /// Address on the LAN.
    pub address: String,
    /// Whether qemu runs.
    pub running: bool,
    /// Starts since the lab is up.
    pub starts: u32,
    /// Serial of the disk in each slot; None: empty.
    pub disks: Vec<Option<String>>,
}

/// A connection to the supervisor.
#[derive(Debug)]
pub struct Control {
    stream: BufReader<UnixStream>,
}

impl Control {
    /// Connects to the lab in `folder`. Fails when no lab runs there.
    pub fn connect(folder: &Path) -> Result<Self> {
        let advice = || format!("no lab runs in {}; start one: cargo xtask lab up", folder.display());
        let opened = File::open(folder).with_context(advice)?;
        // A socket's address holds 107 bytes (unix(7)), fewer than many paths have.
        let short = format!("/proc/self/fd/{}/{SOCKET}", opened.as_raw_fd());
        let stream = UnixStream::connect(short).with_context(advice)?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Sends a request and waits for the answer. Fails when the supervisor refuses or has ended.
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

    /// The state of the lab. Fails when the supervisor has ended.
    pub fn status(&mut self) -> Result<Status> {
        match self.ask(&Request::Status)? {
            Reply::Status(status) => Ok(status),
            other => bail!("the supervisor answered {other:?} when asked for its status"),
        }
    }
}
