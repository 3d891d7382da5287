//! `zfs`: datasets, snapshots, and whether ZFS is installed and loaded.

mod dataset;
mod destroy;
mod diff;
mod hold;
mod module;
mod property;
mod snapshot;

pub use dataset::{Dataset, MADE_AS, UNREADABLE, create_command, datasets, datasets_command, mount_command};
pub use destroy::Batch;
pub use diff::{Change, diff, diff_command};
pub use hold::{Hold, hold_command, holds, holds_command, release_command};
pub use module::{Module, load_command, module, version_command};
pub use property::{Property, inherit_command, property, property_command, set_command};
pub use snapshot::{
    Listing, MARK, Snapshot, marks_command, snapshot_command, snapshots, snapshots_command, snapshots_within,
};
