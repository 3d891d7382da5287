//! Backups of the coordinator: one sealed file with the database, the keys and everything else in the state folder.

mod archive;
mod error;
mod opened;
mod pack;
mod place;
mod recovery;
mod restore;
mod seal;
#[cfg(test)]
mod tests;

pub(crate) use recovery::RECIPIENT;

pub use archive::{Entry, Manifest};
pub use error::BackupError;
pub use pack::{Content, Packed, pack, sweep};
pub use recovery::{Recovery, RecoveryFile, ensure_recovery, readable};
pub use restore::{Restore, Restored, may_replace, restore, verify};
pub use seal::{Lock, Opener, has_passphrase};
