use super::gpt::{self, Partition};
use super::{Bytes, dos};
use crate::sim::random::Random;

const MIB: u64 = 1 << 20;

/// What a disk holds when the machine is created. For a disk of a pool see [`crate::sim::Machine::leave_pool`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// All zero.
    Blank,
    /// An ext4 file system with this label on the whole disk.
    Ext4(&'static str),
    /// An ext4 file system with this label, mounted at this path at each boot.
    MountedExt4(&'static str, &'static str),
    /// A partition table without partitions.
    EmptyGpt,
    /// A partition table with one partition without known content.
    BarePartition,
    /// A partition table with one ext4 partition with this label.
    PartitionWithExt4(&'static str),
    /// An LVM physical volume.
    Lvm,
    /// An LVM physical volume with a logical volume in use.
    LvmInUse,
    /// Swap space, not in use.
    Swap,
    /// Swap space, in use after each boot.
    SwapInUse,
    /// Random bytes in the first MiB, zeroes after it.
    RandomFront,
    /// Zeroes at the start and end, other bytes between.
    DataInTheMiddle,
    /// The recorded content of a real disk (`fixtures/remains`) with this many bytes at the start zeroed.
    Remains(String, u64),
    /// The system that the machine boots from.
    Root,
}

impl Content {
    pub(in crate::sim) fn write(&self, disk: &mut Bytes, random: &mut Random) {
        match self {
            Self::Blank => {}
            Self::Ext4(label) | Self::MountedExt4(label, _) => ext4(disk, 0, label, random),
            Self::EmptyGpt => gpt::write(disk, 2048, &[], random),
            Self::BarePartition => gpt::write(disk, 2048, &[whole(disk, random)], random),
            Self::PartitionWithExt4(label) => {
                let partition = whole(disk, random);
                let start = partition.start * 512;
                gpt::write(disk, 2048, &[partition], random);
                ext4(disk, start, label, random);
            }
            Self::Lvm | Self::LvmInUse => lvm(disk, random),
            Self::Swap | Self::SwapInUse => swap(disk, random),
            Self::RandomFront => disk.write(0, &random.bytes(MIB as usize)),
            Self::DataInTheMiddle => disk.fill(16 * MIB..disk.size() - 16 * MIB),
            Self::Remains(recording, wiped) => remains(disk, recording, *wiped),
            Self::Root => root(disk, random),
        }
    }
}

/// The recordings have only the first bytes of each run of blocks; the rest is generated.
fn remains(disk: &mut Bytes, recording: &str, wiped: u64) {
    const BLOCK: u64 = 4096;
    let mut heads: Vec<Vec<u8>> = Vec::new();
    for line in recording.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
        match words.first() {
            Some(&"head") => {
                let digits = words.get(2).copied().unwrap_or_default().as_bytes().chunks(2);
                let byte = |two: &[u8]| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok();
                heads.push(digits.filter_map(byte).collect());
            }
            Some(&"run") => {
                let (block, count) = (number(1), number(2));
                let begins = block.max(wiped / BLOCK);
                let ends = block + count;
                let head = heads
                    .get(number(3) as usize)
                    .filter(|head| !head.is_empty() && begins == block);
                if let Some(head) = head.filter(|_| begins < ends) {
                    disk.write(block * BLOCK, head);
                }
                let rest = begins + u64::from(head.is_some());
                if rest < ends {
                    disk.fill(rest * BLOCK..ends * BLOCK);
                }
            }
            _ => {}
        }
    }
}

fn whole(disk: &Bytes, random: &mut Random) -> Partition {
    Partition {
        number: 1,
        start: 2048,
        sectors: disk.size() / 512 - 4096,
        kind: gpt::LINUX.to_owned(),
        uuid: random.uuid().to_uppercase(),
        name: String::new(),
    }
}

/// The fields of the superblock that libblkid reads, and some generated file content.
fn ext4(disk: &mut Bytes, start: u64, label: &str, random: &mut Random) {
    let mut superblock = vec![0; 1024];
    superblock[0x38..0x3a].copy_from_slice(&[0x53, 0xef]);
    superblock[0x18..0x1c].copy_from_slice(&2_u32.to_le_bytes());
    superblock[0x68..0x78].copy_from_slice(&random.bytes(16));
    superblock[0x78..0x78 + label.len()].copy_from_slice(label.as_bytes());
    disk.write(start + 1024, &superblock);
    disk.fill(start + 32 * MIB..start + 64 * MIB);
}

fn lvm(disk: &mut Bytes, random: &mut Random) {
    let letters = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let id: Vec<u8> = random
        .bytes(32)
        .iter()
        .map(|byte| letters[usize::from(*byte) % letters.len()])
        .collect();
    let mut label = vec![0; 512];
    label[..8].copy_from_slice(b"LABELONE");
    label[8..16].copy_from_slice(&1_u64.to_le_bytes());
    label[24..32].copy_from_slice(b"LVM2 001");
    label[32..64].copy_from_slice(&id);
    disk.write(512, &label);
    disk.write(4096, b" LVM2 x[5A%r0N*>");
}

fn swap(disk: &mut Bytes, random: &mut Random) {
    disk.write(1024, &1_u32.to_le_bytes());
    disk.write(1036, &random.bytes(16));
    disk.write(4086, b"SWAPSPACE2");
}

/// Like Raspberry Pi OS: a FAT boot partition, then ext4 up to the end.
fn root(disk: &mut Bytes, random: &mut Random) {
    let sectors = u32::try_from(disk.size() / 512).unwrap_or(u32::MAX);
    let entries = [(16_384, 1_048_576, 0x0c), (1_064_960, sectors - 1_064_960, 0x83)];
    dos::write(disk, random.next() as u32, &entries);
    let mut fat = vec![0; 512];
    fat[67..71].copy_from_slice(&random.bytes(4));
    fat[71..82].copy_from_slice(b"bootfs     ");
    fat[82..90].copy_from_slice(b"FAT32   ");
    fat[510..].copy_from_slice(&[0x55, 0xaa]);
    disk.write(16_384 * 512, &fat);
    ext4(disk, 1_064_960 * 512, "rootfs", random);
}
