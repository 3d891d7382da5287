//! First contact: from an SSH login to an enrolled agent.
//!
//! Probes as the login user, decides, then installs three files through one root shell. Run again, it repairs; when
//! nothing is wrong, it changes nothing.

mod add;
mod check;
mod dialogue;
mod fetch;
mod hostkey;
mod judge;
mod lines;
mod login;
mod options;
mod payload;
mod pinned_node;
mod probe;
mod reasons;
mod root;
mod ssh;

use std::io;

use heeler_os::RunError;
use heeler_proto::NodeName;

pub use add::{Added, Target, add};
pub use check::Check;
pub use dialogue::{Dialogue, Host};
pub use fetch::{Copy, Keeper, keeper};
#[cfg(test)]
pub use hostkey::Fingerprint;
pub use payload::config as agent_config;

type Result<T, E = ContactError> = std::result::Result<T, E>;

/// Why first contact stopped. Each file is replaced completely or not at all.
#[derive(Debug, thiserror::Error)]
pub enum ContactError {
    #[error("could not start ssh: install an OpenSSH client on this machine")]
    NoSsh { source: RunError },
    /// The connection failed or was lost before anything was changed.
    #[error(
        "could not continue with {node} at {destination}: {problem}. Nothing was changed there; run the same \
         command again when `ssh {destination}` works"
    )]
    Unreachable {
        node: NodeName,
        destination: String,
        problem: String,
    },
    /// The connection was lost while files were written or the agent was started.
    #[error(
        "lost the connection to {node} at {destination}: {problem}. Nothing is half-installed: each file there is \
         complete, or still the old one. When `ssh {destination}` works, run the same command again: it \
         continues"
    )]
    Interrupted {
        node: NodeName,
        destination: String,
        problem: String,
    },
    #[error(
        "{node} shows another SSH host key than at first contact.\n  pinned  {pinned}\n  shown   {shown}\nIf you \
         flashed its SD card again, run the same command with --reflashed. If you did not: another machine may answer \
         at its address"
    )]
    HostKeyChanged {
        node: NodeName,
        pinned: String,
        shown: String,
    },
    #[error("nothing was done: {what} was not confirmed")]
    Declined { what: String },
    #[error("{node} cannot be added:\n  {}", reasons.join("\n  "))]
    Unfit { node: NodeName, reasons: Vec<String> },
    #[error(
        "{node} is not ready after {minutes} minutes: {why}. Look at its screen or `ssh` into it, then run the same command again. {past}"
    )]
    NeverReady {
        node: NodeName,
        /// How long we waited, in minutes.
        minutes: u64,
        why: String,
        past: String,
    },
    #[error(
        "the sudo password for {node} was wrong; nothing was changed. Run the same command again; with -K it asks first"
    )]
    WrongPassword { node: NodeName },
    #[error(
        "sudo does not make the login on {node} root; nothing was changed. It said:\n  {}\nNext: {next}", told.replace('\n', "\n  ")
    )]
    NoSudo { node: NodeName, told: String, next: String },
    /// The login works but does not run our script.
    #[error(
        "the login to {node} at {destination} {how}; nothing was changed there. It said:\n  {}\nNext: {next}", words.replace('\n', "\n  ")
    )]
    NoShell {
        node: NodeName,
        destination: String,
        /// How the login ended, as a clause.
        how: String,
        words: String,
        next: String,
    },
    #[error(
        "{node} needs a sudo password, and none was given: with -K, give one line on stdin for each NAME, in the same order"
    )]
    NoPassword { node: NodeName },
    /// An order to the root shell failed.
    #[error("{node} could not finish first contact: {problem}")]
    Node { node: NodeName, problem: String },
    #[error("there is no agent for {machine} here; looked at:\n  {}\nInstall the package with that agent, build it in the source tree (`cargo xtask size` for aarch64), or name its folder with --agent-dir", looked.join("\n  "))]
    NoAgent {
        /// Output of `uname -m`.
        machine: String,
        looked: Vec<String>,
    },
    #[error("the agent on {node} is installed, but did not reach this coordinator within {seconds} s. Its last log \
        lines:\n  {}\nIs one of {addresses} reachable from the node?", words.join("\n  "))]
    Silent {
        node: NodeName,
        /// How long we waited, in seconds.
        seconds: u64,
        words: Vec<String>,
        addresses: String,
    },
    #[error(
        "{node} has another key on record: its SD card was flashed again, or it is another machine. If you flashed \
         it, run the same command with --reflashed"
    )]
    OtherKey { node: NodeName },
    /// The coordinator names keys that no signed statement supports, and nobody confirmed them.
    #[error("{node} was not added: {}\nNothing was done there", refused.join("\n"))]
    Untrusted { node: NodeName, refused: Vec<String> },
    /// The coordinator contradicts signed statements.
    #[error("Nothing was done there: {node} was not added")]
    Trust {
        node: NodeName,
        source: crate::trust::TrustError,
    },
    #[error("could not write {path}")]
    State { path: String, source: io::Error },
    #[error("the coordinator refused: {}", .0.message())]
    Coordinator(Box<tonic::Status>),
}

impl From<Box<tonic::Status>> for ContactError {
    fn from(status: Box<tonic::Status>) -> Self {
        Self::Coordinator(status)
    }
}
