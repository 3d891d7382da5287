use std::path::Path;

use crate::System;

/// What a look at the bytes themselves gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Something else was found before: the bytes were not looked at.
    NotRead,
    /// Both ends and every sampled block are zero.
    Zero,
    /// There is something.
    Data {
        /// Of the first byte that is not zero, from the front.
        offset: u64,
    },
    /// The device could not be read.
    Unreadable(String),
}

/// Both ends, in full.
const END_BYTES: u64 = 4 << 20;
/// Small enough for the allocator to use again; what is larger it may keep.
const PIECE_BYTES: u64 = 64 << 10;
/// Between them.
const SAMPLES: u64 = 1024;
const SAMPLE_BYTES: u64 = 4096;

/// Looks at the first and last 4 MiB and at 1,024 blocks of 4 KiB spread evenly over the device.
pub async fn content(host: &dyn System, device: &str, size_bytes: u64) -> Content {
    for (offset, length) in places(size_bytes) {
        let bytes = match host.read_device(Path::new(device), offset, length).await {
            Ok(bytes) => bytes,
            Err(error) => return Content::Unreadable(format!("{device} at byte {offset}: {error}")),
        };
        if bytes.len() != length {
            return Content::Unreadable(format!("{device} ends at byte {}", offset + bytes.len() as u64));
        }
        if let Some(at) = first_data(&bytes) {
            return Content::Data {
                offset: offset + at as u64,
            };
        }
    }
    Content::Zero
}

/// Page by page: a comparison of slices is fast in every build, a look at each byte is not.
fn first_data(bytes: &[u8]) -> Option<usize> {
    const ZERO: [u8; SAMPLE_BYTES as usize] = [0; SAMPLE_BYTES as usize];
    let page = bytes.chunks(ZERO.len()).position(|page| page != &ZERO[..page.len()])?;
    let start = page * ZERO.len();
    let at = bytes[start..].iter().position(|byte| *byte != 0)?;
    Some(start + at)
}

/// Where to look: offsets with lengths, the same for every look at a device of this size, from the front to the back.
fn places(size: u64) -> Vec<(u64, usize)> {
    let front = size.min(END_BYTES);
    let back = size.saturating_sub(END_BYTES).max(front);
    let pieces = |from: u64, to: u64| {
        (from..to)
            .step_by(PIECE_BYTES as usize)
            .map(move |at| (at, (to - at).min(PIECE_BYTES) as usize))
    };
    let stride = u128::from(size / SAMPLE_BYTES);
    let samples = (0..SAMPLES)
        .map(|i| (u128::from(2 * i + 1) * stride / u128::from(2 * SAMPLES)) as u64 * SAMPLE_BYTES)
        .filter(|at| *at >= front && at + SAMPLE_BYTES <= back)
        .map(|at| (at, SAMPLE_BYTES as usize));
    let mut places: Vec<_> = pieces(0, front).chain(samples).chain(pieces(back, size)).collect();
    places.dedup();
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_read_in_full_and_what_is_between_evenly() {
        let size = 128 * 1000 * 1000 * 1000;
        let places = places(size);
        let covered = |from: u64, to: u64| {
            let inside = places.iter().filter(|(at, _)| *at >= from && *at < to);
            inside.map(|(_, length)| *length as u64).sum::<u64>()
        };
        assert_eq!(covered(0, END_BYTES), END_BYTES);
        assert_eq!(covered(size - END_BYTES, size), END_BYTES);
        let samples = places
            .iter()
            .filter(|(_, length)| *length == SAMPLE_BYTES as usize)
            .count();
        assert_eq!(samples, 1024);
        let gaps = places.windows(2).map(|pair| pair[1].0 - pair[0].0);
        assert!(gaps.max().unwrap() <= size / 1024 + 2 * SAMPLE_BYTES);
    }

    #[test]
    fn the_first_byte_that_is_not_zero_is_found_wherever_it_is() {
        for at in [0, 1, 4095, 4096, 9000, 9999] {
            let mut bytes = vec![0; 10_000];
            bytes[at..].fill(7);
            assert_eq!(first_data(&bytes), Some(at));
        }
        assert_eq!(first_data(&[0; 10_000]), None);
    }

    #[test]
    fn a_small_device_is_read_whole_and_never_beyond_its_end() {
        for size in [
            0,
            512,
            4096,
            4 << 20,
            (4 << 20) + 512,
            8 << 20,
            (8 << 20) + 4096,
            64 << 20,
        ] {
            let places = places(size);
            assert!(places.iter().all(|(at, length)| at + *length as u64 <= size));
            let read: u64 = places.iter().map(|(_, length)| *length as u64).sum();
            assert!(size > 8 << 20 || read == size, "{read} of {size}");
        }
    }
}
