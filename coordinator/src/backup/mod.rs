//! Backups of the coordinator: one encrypted file with the database, the keys and everything else in the state folder.

mod archive;
mod encrypt;
mod error;
mod opened;
mod pack;
mod place;
mod recovery;
mod restore;
#[cfg(test)]
mod tests;

pub(crate) use recovery::RECIPIENT;

pub use archive::{Entry, Manifest};
pub use encrypt::{Lock, Opener, has_passphrase};
pub use error::BackupError;
pub use pack::{Content, Packed, pack, sweep};
pub use recovery::{Recovery, RecoveryFile, ensure_recovery, readable};
pub use restore::{Restore, Restored, may_replace, restore, verify};
