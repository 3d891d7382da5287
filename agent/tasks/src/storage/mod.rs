//! Pools and disks. No failure to import ever leads to creation, and nothing is ever forced.

pub mod ensure_pool;
pub mod erase_disk;

mod imported;
mod words;

use imported::all_imported;
pub use imported::imported;
