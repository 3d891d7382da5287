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
pub use hostkey::Fingerprint;
pub use payload::{Part, config as agent_config};

/// Why first contact stopped. Each file is replaced completely or not at all.
#[derive(Debug, thiserror::Error)]
pub enum ContactError {
    /// ssh is not installed on this machine.
    #[error("could not start ssh: install an OpenSSH client on this machine")]
    NoSsh {
        /// Why it did not start.
        source: RunError,
    },
    /// The connection failed or was lost before anything was changed.
    #[error(
        "could not continue with {node} at {destination}: {problem}. Nothing was changed there; run the same \
         command again when `ssh {destination}` works"
    )]
    Unreachable {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// As given to ssh: `user@host` or a name of its configuration.
        destination: String,
        /// ssh's message.
        problem: String,
    },
    /// The connection was lost while files were written or the agent was started.
    #[error(
        "lost the connection to {node} at {destination}: {problem}. Nothing is half-installed: each file there is \
         complete, or still the old one. When `ssh {destination}` works, run the same command again: it \
         continues"
    )]
    Interrupted {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// As given to ssh: `user@host` or a name of its configuration.
        destination: String,
        /// ssh's message.
        problem: String,
    },
    /// The node shows a host key that differs from the pinned one.
    #[error(
        "{node} shows another SSH host key than at first contact.\n  pinned  {pinned}\n  shown   {shown}\nIf you \
         flashed its SD card again, run the same command with --reflashed. If you did not: another machine may answer \
         at its address"
    )]
    HostKeyChanged {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// Fingerprint of the pinned key.
        pinned: String,
        /// Fingerprint of the shown key.
        shown: String,
    },
    /// The person answered no.
    #[error("nothing was done: {what} was not confirmed")]
    Declined {
        /// What was to be confirmed.
        what: String,
    },
    /// The node cannot be added.
    #[error("{node} cannot be added:\n  {}", reasons.join("\n  "))]
    Unfit {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// The reasons, each with what helps.
        reasons: Vec<String>,
    },
    /// The node's first boot does not end.
    #[error(
        "{node} is not ready after {minutes} minutes: {why}. Look at its screen or `ssh` into it, then run the same command again. {past}"
    )]
    NeverReady {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// How long we waited, in minutes.
        minutes: u64,
        /// The check that does not pass.
        why: String,
        /// How to skip the check, or what the node said.
        past: String,
    },
    /// The sudo password was wrong.
    #[error(
        "the sudo password for {node} was wrong; nothing was changed. Run the same command again; with -K it asks first"
    )]
    WrongPassword {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
    },
    /// sudo does not let the login become root.
    #[error(
        "sudo does not make the login on {node} root; nothing was changed. It said:\n  {}\nNext: {next}", told.replace('\n', "\n  ")
    )]
    NoSudo {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// sudo's message.
        told: String,
        /// What to type.
        next: String,
    },
    /// The login works but does not run our script.
    #[error(
        "the login to {node} at {destination} {how}; nothing was changed there. It said:\n  {}\nNext: {next}", words.replace('\n', "\n  ")
    )]
    NoShell {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// As given to ssh: `user@host` or a name of its configuration.
        destination: String,
        /// How the login ended, as a clause.
        how: String,
        /// Output of ssh and the node.
        words: String,
        /// What to type.
        next: String,
    },
    /// sudo wants a password and none was given.
    #[error(
        "{node} needs a sudo password, and none was given: with -K, give one line on stdin for each NAME, in the same order"
    )]
    NoPassword {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
    },
    /// An order to the root shell failed.
    #[error("{node} could not finish first contact: {problem}")]
    Node {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// The node's message.
        problem: String,
    },
    /// There is no agent for this architecture.
    #[error("there is no agent for {machine} here; looked at:\n  {}\nInstall the package with that agent, build it in the source tree (`cargo xtask size` for aarch64), or name its folder with --agent-dir", looked.join("\n  "))]
    NoAgent {
        /// Output of `uname -m`.
        machine: String,
        /// Paths that were tried.
        looked: Vec<String>,
    },
    /// The agent runs but does not connect.
    #[error("the agent on {node} is installed, but did not reach this coordinator within {seconds} s. Its last log \
        lines:\n  {}\nIs one of {addresses} reachable from the node?", words.join("\n  "))]
    Silent {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// How long we waited, in seconds.
        seconds: u64,
        /// Last lines of the agent's journal.
        words: Vec<String>,
        /// Addresses that it dials.
        addresses: String,
    },
    /// The node's key differs from the one on record.
    #[error(
        "{node} has another key on record: its SD card was flashed again, or it is another machine. If you flashed \
         it, run the same command with --reflashed"
    )]
    OtherKey {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
    },
    /// The coordinator names keys that no signed statement supports, and nobody confirmed them.
    #[error("{node} was not added: {}\nNothing was done there", refused.join("\n"))]
    Untrusted {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// The keys, each with its fingerprint.
        refused: Vec<String>,
    },
    /// The coordinator contradicts signed statements.
    #[error("Nothing was done there: {node} was not added")]
    Trust {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// What contradicts them.
        source: crate::trust::TrustError,
    },
    /// A file of the state folder could not be used.
    #[error("could not write {path}")]
    State {
        /// Path of the file.
        path: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The coordinator refused.
    #[error("the coordinator refused: {}", .0.message())]
    Coordinator(Box<tonic::Status>),
}

impl From<Box<tonic::Status>> for ContactError {
    fn from(status: Box<tonic::Status>) -> Self {
        Self::Coordinator(status)
    }
}
