use std::path::PathBuf;

use heeler_host::guard::Way;
use heeler_host::{Command, File, UnitAction};
use heeler_proto::Irreversible;

/// A change to the machine, as data. Only the engine applies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Runs a program to its end; an exit code other than 0 fails the op. Whether it worked is checked by observing
    /// again.
    Run(Command),
    /// Does something that cannot be undone; needs a consent to exactly this act.
    Irreversible {
        /// The effect on the data, which the consent covers.
        act: Irreversible,
        /// The op that has this effect.
        op: Box<Op>,
    },
    /// An op whose own words do not say what it is for. It stands outermost.
    Explained {
        /// What it is for, as an order: "switch Debian's monthly scrub of data off".
        meaning: String,
        /// The op.
        op: Box<Op>,
    },
    /// Writes a whole file.
    Write(File),
    /// Writes a marked block in a file that others write too.
    Edit(Edit),
    /// Removes a file, unless it changed since it was observed.
    Remove(Remove),
    /// Sets a parameter of the running kernel until the next boot.
    Parameter {
        /// Path below `/sys` or `/proc/sys`.
        path: PathBuf,
        /// The new value.
        value: String,
    },
    /// Acts on a systemd unit and waits for the result.
    Unit {
        /// Name of the unit with its suffix, such as `zfs-mount.service`.
        unit: String,
        /// The action.
        action: UnitAction,
    },
    /// Runs a program in a transient unit, which outlives the agent, and waits for its end. The engine names the unit.
    Job(Command),
    /// Arms, undoes or waits for the guard of a network change.
    Guard(GuardAction),
    /// Reboots the machine; always the last op of a plan.
    Reboot {
        /// A clause for a message.
        reason: String,
        /// Whether the firmware of a Raspberry Pi reads tryboot.txt instead of config.txt, once.
        trial: bool,
    },
}

impl Op {
    /// With a meaning, as an order to the machine.
    #[must_use]
    pub fn explained(self, meaning: impl Into<String>) -> Self {
        Self::Explained {
            meaning: meaning.into(),
            op: Box::new(self),
        }
    }

    /// The op without its meaning.
    pub fn plain(&self) -> &Self {
        match self {
            Self::Explained { op, .. } => op,
            other => other,
        }
    }

    /// What it is for; empty when its summary says it.
    pub fn meaning(&self) -> &str {
        match self {
            Self::Explained { meaning, .. } => meaning,
            _ => "",
        }
    }
}

/// A block between two marker lines in a file that others write too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Absolute path.
    pub path: PathBuf,
    /// Name of the block, part of its marker lines.
    pub block: &'static str,
    /// The lines between the markers.
    pub content: String,
    /// Lines outside the block that are taken out, whole.
    pub without: Vec<String>,
    /// SHA-256 of the whole file when it was observed; all zero when it did not exist. If it differs now, nothing is
    /// written.
    pub expects: [u8; 32],
}

/// The removal of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remove {
    /// Absolute path.
    pub path: PathBuf,
    /// SHA-256 of the file when it was observed. If it differs now, nothing is removed.
    pub expects: [u8; 32],
}

/// An action on the guard, which undoes a network change unless it is confirmed in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuardAction {
    /// Undoes what an interrupted change left.
    Undo,
    /// Arms the guard for the change that follows.
    Arm(Way),
    /// Waits until the change is confirmed or undone.
    Confirm,
}
