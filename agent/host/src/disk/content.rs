use std::path::Path;

use super::samples::{self, places};
use super::{proof, remains};
use crate::System;
use crate::lsblk::Device;

/// The result of reading some of a disk's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// No bytes were read: an earlier check found something.
    NotRead,
    /// Every place that was read is zero; between the places there may be data.
    Zero,
    /// There is data.
    Data {
        /// Bytes from the start of the disk: of a header when it is recognised, else of the first byte that is not
        /// zero.
        offset: u64,
        /// What the bytes look like: `ext4 superblock`, `text`…
        what: &'static str,
    },
    /// The device could not be read.
    Unreadable(String),
}

/// Reads a disk at the [`places`], and where an earlier reading found data.
pub(super) async fn content(host: &dyn System, device: &Device) -> Content {
    let samples = match device.transport.as_str() {
        "nvme" => samples::QUICK,
        _ => samples::SLOW,
    };
    let size = device.size_bytes;
    let mut all = places(size, samples);
    all.extend(
        proof::found(host, &device.serial)
            .await
            .filter(|at| *at < size)
            .map(|at| (at, at + 1)),
    );
    look(host, Path::new(&device.path), &all).await
}

/// Finds the first byte in these places (from, to) that is not zero, and what it belongs to.
pub async fn look(host: &dyn System, device: &Path, places: &[(u64, u64)]) -> Content {
    let unreadable = |error| Content::Unreadable(format!("{}: {error}", device.display()));
    let found = match host.first_data(device, places).await {
        Ok(None) => return Content::Zero,
        Ok(Some(found)) => found,
        Err(error) => return unreadable(error),
    };
    let page = found - found % remains::PAGE as u64;
    match host.read_device(device, page, remains::PAGE).await {
        Ok(bytes) => {
            let (base, what) = remains::recognise(&bytes, (found - page) as usize);
            Content::Data {
                offset: page + base as u64,
                what,
            }
        }
        Err(error) => unreadable(error),
    }
}
