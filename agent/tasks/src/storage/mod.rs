//! Pools and disks. A failed import never leads to a creation, and nothing is forced.

pub mod ensure_pool;
pub mod erase_disk;

mod imported;
mod place;
mod words;

use imported::all_imported;
pub use imported::imported;
pub use place::Place;
