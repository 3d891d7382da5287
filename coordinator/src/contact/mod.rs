//! First contact: from an SSH login to an enrolled agent.
//!
//! Probe as the login user, decide, then one root shell that puts three files in their place. Run again, it repairs;
//! when nothing is wrong, nothing changes.

mod add;
mod check;
mod dialogue;
mod fetch;
mod hostkey;
mod judge;
mod lines;
mod login;
mod meet;
mod options;
mod payload;
mod probe;
mod reasons;
mod root;
mod ssh;

use std::io;

use heeler_proto::NodeName;

pub use add::{Added, Target, add};
pub use check::Check;
pub use dialogue::{Dialogue, Host};
pub use fetch::{Copy, Keeper, keeper};
pub use hostkey::Fingerprint;
pub use payload::{Part, config as agent_config};

/// Why first contact stopped. No file is ever half there: each is in its place whole, or not at all.
#[derive(Debug, thiserror::Error)]
pub enum ContactError {
    /// There is no ssh here.
    #[error("could not start ssh: install an OpenSSH client on this machine")]
    NoSsh {
        /// The error of the operating system.
        source: io::Error,
    },
    /// No connection, or it was lost.
    #[error(
        "could not continue with {node} at {destination}: {problem}. Nothing was changed there; type `heeler node add \
         {node}` again when `ssh {destination}` works"
    )]
    Unreachable {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// As given to ssh.
        destination: String,
        /// What ssh said.
        problem: String,
    },
    /// It was lost while files were written or the agent was started.
    #[error(
        "lost the connection to {node} at {destination}: {problem}. Nothing is half-installed: each file there is \
         complete, or still the old one. When `ssh {destination}` works, type `heeler node add {node}` again: it \
         continues"
    )]
    Interrupted {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// As given to ssh.
        destination: String,
        /// What ssh said.
        problem: String,
    },
    /// The host key is another than the pinned one.
    #[error(
        "{node} shows another SSH host key than at first contact.\n  pinned  {pinned}\n  shown   {shown}\nIf you \
         flashed its SD card again: heeler node add {node} --reflashed. If you did not: another machine may answer at \
         its address"
    )]
    HostKeyChanged {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// Fingerprint on record.
        pinned: String,
        /// Fingerprint shown.
        shown: String,
    },
    /// A person said no.
    #[error("nothing was done: {what} was not confirmed")]
    Declined {
        /// To what.
        what: String,
    },
    /// It will not do.
    #[error("{node} cannot be added:\n  {}", reasons.join("\n  "))]
    Unfit {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// Each with what helps.
        reasons: Vec<String>,
    },
    /// Its first boot does not end.
    #[error(
        "{node} is not ready after {minutes} minutes: {why}. Look at its screen or `ssh` into it, then type `heeler node add {node}` again. {past}"
    )]
    NeverReady {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// How long we waited.
        minutes: u64,
        /// What is missing.
        why: String,
        /// The way past the check, or what the node said.
        past: String,
    },
    /// sudo said no.
    #[error(
        "the sudo password for {node} was wrong; nothing was changed. Type `heeler node add {node} -K` to be asked again"
    )]
    WrongPassword {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
    },
    /// The login may not become root.
    #[error(
        "sudo does not make the login on {node} root; nothing was changed. It said:\n  {}\nNext: {next}", told.replace('\n', "\n  ")
    )]
    NoSudo {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// What sudo said.
        told: String,
        /// What helps.
        next: String,
    },
    /// The login works and does not run our script.
    #[error(
        "the login to {node} at {destination} {how}; nothing was changed there. It said:\n  {}\nNext: {next}", words.replace('\n', "\n  ")
    )]
    NoShell {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// As given to ssh.
        destination: String,
        /// How it ended, or did not.
        how: String,
        /// What ssh and the node said.
        words: String,
        /// What helps.
        next: String,
    },
    /// No password where one is wanted.
    #[error(
        "{node} wants a sudo password and none was given for it: with -K, stdin holds one line for each NAME, in their order"
    )]
    NoPassword {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
    },
    /// The node refused an order.
    #[error("{node} could not carry out its part: {problem}")]
    Node {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// What it said.
        problem: String,
    },
    /// No binary for that architecture.
    #[error("there is no agent for {machine} here; looked at:\n  {}\nInstall the package with that agent, build it (`cargo build --profile agent -p heeler-agent`), or name its folder with --agent-dir", looked.join("\n  "))]
    NoAgent {
        /// `uname -m`.
        machine: String,
        /// Paths.
        looked: Vec<String>,
    },
    /// The agent runs and does not reach us.
    #[error("the agent on {node} is installed and did not reach this coordinator in {seconds} s. Its last log \
        lines:\n  {}\nIs one of {addresses} reachable from the node?", words.join("\n  "))]
    Silent {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// How long we waited.
        seconds: u64,
        /// From its journal.
        words: Vec<String>,
        /// Where it dials.
        addresses: String,
    },
    /// The node has a key that is not the one on record.
    #[error(
        "{node} has another key on record: its SD card was flashed again, or it is another machine. If you flashed \
         it: heeler node add {node} --reflashed"
    )]
    OtherKey {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
    },
    /// Nobody vouches for whom the coordinator names, and nobody has confirmed it.
    #[error("{node} was not added: {}\nNothing was done there", refused.join("\n"))]
    Untrusted {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// Whom or what, each with its fingerprint.
        refused: Vec<String>,
    },
    /// The coordinator contradicts what is verified here.
    #[error("Nothing was done there: {node} was not added")]
    Trust {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: NodeName,
        /// In what.
        source: crate::trust::TrustError,
    },
    /// A file of ours.
    #[error("could not write {path}")]
    State {
        /// The file.
        path: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The coordinator said no.
    #[error("the coordinator refused: {}", .0.message())]
    Coordinator(Box<tonic::Status>),
}

impl From<Box<tonic::Status>> for ContactError {
    fn from(status: Box<tonic::Status>) -> Self {
        Self::Coordinator(status)
    }
}
