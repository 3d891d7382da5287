//! The only code that accesses a machine.
//!
//! All access goes through [`System`]: [`RealSystem`] is a Linux machine, `sim::Machine` one in memory that can lose
//! power. Each program has a module, which knows its arguments and reads its output.

pub mod apt;
pub mod arc;
pub mod blkdiscard;
pub mod blkid;
pub mod bridge;
pub mod chattr;
pub mod claim;
pub mod cloud_init;
pub mod connections;
pub mod disk;
pub mod dpkg;
pub mod facts;
pub mod findmnt;
pub mod firmware;
pub mod getent;
pub mod guard;
pub mod hostid;
pub mod hostname;
pub mod hosts;
pub mod ifupdown;
pub mod initramfs;
pub mod ip;
pub mod journalctl;
pub mod journald;
pub mod link;
pub mod locale;
pub mod locale_gen;
pub mod lsblk;
pub mod netplan;
pub mod networkd;
pub mod ping;
pub mod pmxcfs;
pub mod pvesm;
pub mod pveum;
pub mod sfdisk;
#[cfg(feature = "sim")]
pub mod sim;
pub mod swap;
pub mod systemctl;
pub mod time_servers;
pub mod timedatectl;
pub mod udev;
pub mod wipefs;
pub mod zdb;
pub mod zfs;
pub mod zpool;

mod arp;
mod ask;
mod file;
mod folder;
mod glance;
mod json;
mod real;
mod side_by_side;
mod system;
mod unit;
mod zeros;

pub use ask::{content, whole_text};
pub use file::{Content, File};
pub use folder::{Folder, FolderAction};
pub use glance::Glance;
pub use heeler_os::{Command, Notify, Output, Piped, RunError, Secret, Stdin};
pub use real::RealSystem;
pub use side_by_side::side_by_side;
pub use system::{Look, System};
pub use unit::{Job, JobState, UnitAction, UnitError, UnitState};
