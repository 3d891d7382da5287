//! Disks: what they are, what they hold, and whether they may be given to `zpool create`.
//!
//! A disk is named by its serial and reached by its path below `/dev/disk/by-id`; the kernel's names are for the eye.

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
