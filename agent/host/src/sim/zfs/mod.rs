//! Simulated ZFS: pools that are stored in the labels on their disks.

mod config;
mod imported;
pub(super) mod label;
mod scan;
mod snap;

pub(super) use config::{Config, Contents, Dataset, Leg, PoolState};
pub(super) use imported::{Health, Imported, Open};
pub(super) use label::{Label, signatures};
pub(super) use scan::OnDisk;
pub(super) use snap::{Scrub, Snap};
