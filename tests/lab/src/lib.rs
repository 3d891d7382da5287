//! Virtual Raspberry Pis with real ZFS, systemd, sshd and cloud-init under qemu, in a separate network.
//!
//! A supervisor ([`supervisor`]) owns everything that runs; a [`Lab`] is a connection to it. The lab acts as the Pi's
//! [`firmware`], so the content of a node's FAT partition decides what boots.
#![expect(
    clippy::disallowed_methods,
    reason = "the lab starts virtual machines and waits for them in real time"
)]

pub mod accel;
pub mod ansible;
pub mod cache;
pub mod cases;
pub mod control;
pub mod demo;
pub mod disk;
pub mod firmware;
pub mod fleet;
pub mod image;
pub mod keys;
pub mod lab;
pub mod machine;
pub mod mirror;
pub mod network;
pub mod node;
pub mod packages;
pub mod power;
pub mod programs;
pub mod proxmox;
pub mod qmp;
pub mod record;
pub mod run;
pub mod seed;
pub mod supervisor;

pub use disk::Disk;
pub use lab::Lab;
pub use node::NodeHandle;
