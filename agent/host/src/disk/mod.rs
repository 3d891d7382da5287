//! Disks: what they hold, and whether `zpool create` may use them.
//!
//! A disk is named by its serial and accessed by its path below `/dev/disk/by-id`. The kernel's names are only
//! displayed, because they can change at boot.

mod content;
mod evidence;
mod inventory;
mod place;
mod proof;
mod remains;
mod samples;
mod slot;
mod state;
mod surroundings;
mod words;

pub use content::Content;
pub use evidence::{Evidence, Member, collect};
pub use inventory::{Disk, Found, Inventory, inventory};
pub use place::Place;
pub use proof::{NotBlank, Reading};
pub use slot::remember_slots;
pub use state::{DiskState, MemberState, Use, disk_state};
pub use surroundings::Surroundings;
