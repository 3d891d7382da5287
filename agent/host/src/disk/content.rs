use std::path::Path;

use super::samples::{self, places};
use super::{proof, remains};
use crate::System;
use crate::lsblk::Device;

/// What a look at the bytes themselves gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Something else was found before: the bytes were not looked at.
    NotRead,
    /// Every place that was looked at is zero; between them there may be anything.
    Zero,
    /// There is something.
    Data {
        /// Of what is there, from the front of the disk: of its header when that is known, else of the first byte.
        offset: u64,
        /// `ext4 superblock`, `text`…: by its bytes.
        what: &'static str,
    },
    /// The device could not be read.
    Unreadable(String),
}

/// Looks at a disk where [`places`] says, and where an earlier reading found something.
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

/// What the first byte in these places that is not zero belongs to.
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
