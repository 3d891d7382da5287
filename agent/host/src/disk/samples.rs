//! The places that a look reads: where file systems keep copies of their metadata, and evenly over the rest.

/// Samples on NVMe, where seeks cost nothing.
pub(super) const QUICK: u64 = 8192;
/// Samples on any other device.
pub(super) const SLOW: u64 = 1024;

const MIB: u64 = 1 << 20;
/// Bytes at the start that are read completely: headers, ZFS labels, LUKS headers, file allocation tables.
const FRONT: u64 = 64 * MIB;
/// Bytes at the end that are read completely: RAID superblocks, the backup GPT, ZFS labels, NTFS's last sector.
const BACK: u64 = 16 * MIB;
const PAGE: u64 = 4096;
/// Where the largest file system usually begins: at the disk itself, at old DOS and present partitions, in LVM, on
/// Raspberry Pi OS old and new, after an EFI partition, in a Linux RAID.
const STARTS: [u64; 11] = [
    0,
    63 * 512,
    MIB,
    2 * MIB,
    4 * MIB,
    8 * MIB,
    129 * MIB,
    260 * MIB,
    512 * MIB,
    513 * MIB,
    520 * MIB,
];
/// Sizes of ext's block groups for blocks of 1 KiB to 64 KiB, as powers of two.
const GROUPS: [u32; 7] = [23, 25, 27, 29, 31, 33, 35];
/// Offsets from the start of a file system: btrfs's second and third superblock, the MFT as Windows places it.
const FIXED: [u64; 3] = [64 * MIB, 256 << 30, 3 << 30];
/// Numbers of allocation groups that mkfs.xfs uses. NTFS's MFT mirror and ext4's journal are in the middle (2).
const SHARES: [u64; 12] = [2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32];
/// A partition ends at most so many bytes before the end of the disk.
const TAIL: u64 = 2 * MIB;

/// The places as pairs (from, to) in bytes: sorted, disjoint, not empty, within `size`, and the same for each look at
/// a device of this size. Of the `samples` blocks of 4 KiB a quarter follow the front, one each MiB; the others are
/// spread evenly.
pub(super) fn places(size: u64, samples: u64) -> Vec<(u64, u64)> {
    let mut all = vec![(0, FRONT), (size.saturating_sub(BACK), size)];
    let mut page = |at: u64| all.push((at, at.saturating_add(PAGE)));
    for near in 0..samples / 4 {
        page(FRONT + near * MIB);
    }
    let even = samples - samples / 4;
    for i in 0..even {
        let middle = u128::from(size / PAGE) * u128::from(2 * i + 1) / u128::from(2 * even);
        page(middle as u64 * PAGE);
    }
    for start in STARTS {
        FIXED.iter().for_each(|at| page(start + at));
        // ext has superblock copies in the groups 1 and powers of 3, 5, 7, or (sparse_super2) in 1 and the last.
        for shift in GROUPS {
            let last = size.saturating_sub(start) >> shift;
            page(start + (last << shift));
            for base in [3_u64, 5, 7] {
                let mut group = 1;
                while group <= last {
                    page(start + (group << shift));
                    group *= base;
                }
            }
        }
    }
    for start in STARTS {
        let inside = size.saturating_sub(start);
        for share in SHARES {
            let from = start + inside.saturating_sub(TAIL) / share;
            all.push((from - from % PAGE, start + inside / share + 2 * PAGE));
        }
    }
    apart(all, size)
}

fn apart(mut all: Vec<(u64, u64)>, size: u64) -> Vec<(u64, u64)> {
    all.sort_unstable();
    let mut apart: Vec<(u64, u64)> = Vec::with_capacity(all.len());
    for (from, to) in all {
        let to = to.min(size);
        match apart.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ if from < to => apart.push((from, to)),
            _ => {}
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 256_060_514_304;

    fn covers(places: &[(u64, u64)], at: u64) -> bool {
        places.iter().any(|(from, to)| (*from..*to).contains(&at))
    }

    #[test]
    fn both_ends_are_read_fully_and_the_rest_evenly() {
        let places = places(SIZE, QUICK);
        for at in [0, FRONT - 1, SIZE - BACK, SIZE - 1] {
            assert!(covers(&places, at), "{at}");
        }
        let gaps = places.windows(2).map(|pair| pair[1].0 - pair[0].1);
        assert!(gaps.max().unwrap() <= SIZE / (QUICK / 4 * 3));
        let read: u64 = places.iter().map(|(from, to)| to - from).sum();
        assert!(read < 256 * MIB, "{read}");
    }

    #[test]
    fn spare_superblocks_are_looked_at_in_every_usual_partition() {
        let places = places(SIZE, SLOW);
        for start in [0, 63 * 512, MIB, 4 * MIB, 8 * MIB, 520 * MIB] {
            for (what, at) in [
                ("ext 1k", (8 << 20) * 81 + 1024),
                ("ext 2k", (32 << 20) * 49),
                ("ext 4k", 32_768 * 4096),
                ("ext 4k", 32_768 * 4096 * 729),
                ("ext 64k", 32 << 30),
                ("btrfs", 64 << 20),
                ("ntfs", 3 << 30),
                ("xfs", (SIZE - start) / 4 / PAGE * PAGE),
                ("xfs", (SIZE - start - 34 * 512) / 4 / PAGE * PAGE + 512),
                ("middle", (SIZE - start) / 2),
            ] {
                assert!(covers(&places, start + at), "{what} in a partition at {start}");
            }
        }
    }

    #[test]
    fn a_small_device_is_read_completely() {
        for size in [0, 512, 4096, 4 << 20, (64 << 20) + 512, 80 << 20, (80 << 20) + 4096] {
            let places = places(size, SLOW);
            assert!(places.iter().all(|(from, to)| from < to && *to <= size));
            assert!(places.windows(2).all(|pair| pair[0].1 < pair[1].0));
            let read: u64 = places.iter().map(|(from, to)| to - from).sum();
            assert!(size > 80 << 20 || read == size, "{read} of {size}");
        }
    }
}
