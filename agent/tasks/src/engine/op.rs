use std::path::PathBuf;

use heeler_host::guard::Way;
use heeler_host::{Command, File, Job, UnitAction};
use heeler_proto::Irreversible;

/// A change to the machine, as data. The engine applies it in one `match`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Runs a program to its end; an exit code other than 0 fails the op. What it did is proven by looking again.
    Run(Command),
    /// Does something that cannot be undone. Needs a person's consent to exactly this act.
    Irreversible {
        /// What it does to the data: what the consent is over.
        act: Irreversible,
        /// What is done.
        op: Box<Op>,
    },
    /// Writes a whole file.
    Write(File),
    /// Writes a marked block in a file that others write as well.
    Edit(Edit),
    /// Removes a file.
    Remove(Remove),
    /// Sets a parameter of the running kernel.
    Parameter {
        /// Below `/sys` or `/proc/sys`.
        path: PathBuf,
        /// What it shall be.
        value: String,
    },
    /// Does something to a systemd unit and waits for it.
    Unit {
        /// With its suffix, such as `zfs-mount.service`.
        unit: String,
        /// What is done.
        action: UnitAction,
    },
    /// Runs a program in a transient unit that outlives the agent, and waits for its end.
    Job(Job),
    /// Arms or disarms the way back from a network change.
    Guard(GuardAction),
    /// Reboots; always the last op of a plan.
    Reboot {
        /// Why, for the person.
        reason: String,
    },
}

/// A block between two marker lines of Heeler's in a file that others write as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The file.
    pub path: PathBuf,
    /// Names the block within the file.
    pub block: &'static str,
    /// What stands between the markers.
    pub content: String,
    /// SHA-256 of the whole file as the step saw it; all zero when it was missing. When it is another by now, nothing
    /// is written.
    pub expects: [u8; 32],
}

/// Removal of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remove {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of the file as the step saw it. When it is another by now, nothing is removed.
    pub expects: [u8; 32],
}

/// The guard of a network change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuardAction {
    /// What an earlier change left half done is put back as it was.
    Undo,
    /// What follows is undone unless it is confirmed in time.
    Arm(Way),
    /// Waits until the change is confirmed, or undone.
    Confirm,
}
