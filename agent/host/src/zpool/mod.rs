//! `zpool`: pools. No command here has `-f` (force) or `-F` (rewind).

mod create;
mod events;
mod get;
mod import;
mod scrub;
mod status;

pub use create::{NewPool, rehearsal};
pub use events::{News, events_command, news};
pub use get::{PoolProperties, properties, set_command};
pub use import::{Importable, ImportableLeg, import_command, importable, importable_command};
pub use scrub::{DEBIAN, scrub_command};
pub use status::{Class, PoolStatus, Pools, Scan, Unreadable, Vdev, look, status, status_command};
