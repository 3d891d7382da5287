//! A simulated machine that implements [`System`](crate::System): files, disks byte by byte, ZFS, systemd's units, a
//! clock. It can lose power before, after and in the middle of each call.
//!
//! A test counts the points of an undisturbed run with [`Machine::points`], then runs once for each point with
//! [`Machine::cut_power_at`]: no call returns after that point, [`Machine::lost`] reports it, [`Machine::boot`]
//! starts the machine again.

mod boot;
mod builder;
mod call;
mod device;
mod disk;
mod events;
mod fault;
mod firmware;
mod jobs;
mod kernel_files;
mod lan;
mod log;
mod machine;
mod net;
mod nic;
mod pace;
mod packages;
mod power;
mod prepare;
mod program;
mod proxmox;
mod random;
mod repository;
mod state;
mod tree;
mod units;
mod wire;
mod words;
mod zfs;

pub use builder::Builder;
pub use disk::{Content, DiskSpec};
pub use fault::Fault;
pub use log::Entry;
pub use machine::Machine;
pub use nic::Nic;
pub use pace::Pace;
pub use power::Loss;
pub use prepare::Left;
pub use repository::{Repository, Server};
pub use wire::Wire;
