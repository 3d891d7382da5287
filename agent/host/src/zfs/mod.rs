//! `zfs`: the module's state, and datasets.

mod dataset;
mod module;

pub use dataset::{Dataset, create_command, datasets, datasets_command, mount_all_command, mount_command};
pub use module::{Module, load_command, module, version_command};
