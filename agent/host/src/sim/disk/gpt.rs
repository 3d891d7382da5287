use super::Bytes;
use crate::sim::random::Random;

const SECTOR: u64 = 512;
const ENTRIES: u32 = 128;
const ENTRY: usize = 128;

/// Partition types of a whole disk in a pool (libefi's EFI_USR and EFI_RESERVED).
pub(in crate::sim) const ZFS: &str = "6A898CC3-1DD2-11B2-99A6-080020736631";
pub(in crate::sim) const ZFS_RESERVED: &str = "6A945A3B-1DD2-11B2-99A6-080020736631";
pub(in crate::sim) const LINUX: &str = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";

/// An entry of a partition table; sectors have 512 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim) struct Partition {
    pub(in crate::sim) number: u32,
    pub(in crate::sim) start: u64,
    pub(in crate::sim) sectors: u64,
    /// Upper-case GUID, or two hex digits in a DOS table.
    pub(in crate::sim) kind: String,
    pub(in crate::sim) uuid: String,
    pub(in crate::sim) name: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim) struct Table {
    /// `gpt` or `dos`.
    pub(in crate::sim) label: &'static str,
    /// Upper-case GUID, or `0x…` in a DOS table.
    pub(in crate::sim) id: String,
    /// First and last sector that a partition may use; 0 in a DOS table.
    pub(in crate::sim) usable: (u64, u64),
    pub(in crate::sim) partitions: Vec<Partition>,
}

/// Writes a GUID partition table: protective MBR, header and entries at the start, header and entries at the end
/// (UEFI 2.10, 5.3).
///
/// `first` is the first sector that a partition may use: 2048 with sfdisk, 34 with ZFS.
pub(in crate::sim) fn write(disk: &mut Bytes, first: u64, partitions: &[Partition], random: &mut Random) {
    let last = disk.size() / SECTOR - 1;
    let mut entries = vec![0; ENTRIES as usize * ENTRY];
    for partition in partitions {
        let entry = &mut entries[(partition.number as usize - 1) * ENTRY..][..ENTRY];
        entry[..16].copy_from_slice(&guid_bytes(&partition.kind));
        entry[16..32].copy_from_slice(&guid_bytes(&partition.uuid));
        entry[32..40].copy_from_slice(&partition.start.to_le_bytes());
        entry[40..48].copy_from_slice(&(partition.start + partition.sectors - 1).to_le_bytes());
        for (at, unit) in partition.name.encode_utf16().enumerate().take(36) {
            entry[56 + 2 * at..58 + 2 * at].copy_from_slice(&unit.to_le_bytes());
        }
    }
    let id = guid_bytes(&random.uuid());
    let entries_sum = crc32(&entries);
    let header = |here: u64, there: u64, table: u64| {
        let mut header = vec![0; 512];
        header[..8].copy_from_slice(b"EFI PART");
        header[8..12].copy_from_slice(&0x0001_0000_u32.to_le_bytes());
        header[12..16].copy_from_slice(&92_u32.to_le_bytes());
        for (at, value) in [(24, here), (32, there), (40, first), (48, last - 33), (72, table)] {
            header[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        header[56..72].copy_from_slice(&id);
        for (at, value) in [(80, ENTRIES), (84, ENTRY as u32), (88, entries_sum)] {
            header[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        let sum = crc32(&header[..92]);
        header[16..20].copy_from_slice(&sum.to_le_bytes());
        header
    };
    let mut mbr = vec![0; 512];
    mbr[446..462].copy_from_slice(&[0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    mbr[510..].copy_from_slice(&[0x55, 0xaa]);
    disk.write(0, &mbr);
    disk.write(SECTOR, &header(1, last, 2));
    disk.write(2 * SECTOR, &entries);
    disk.write((last - 32) * SECTOR, &entries);
    disk.write(last * SECTOR, &header(last, 1, last - 32));
}

/// Reads the table as the kernel does; None without a valid one at the start.
pub(in crate::sim) fn read(disk: &Bytes) -> Option<Table> {
    let mbr = disk.read(0, 512);
    if mbr.len() < 512 || mbr[510..] != [0x55, 0xaa] {
        return None;
    }
    if mbr[450] != 0xee {
        return super::dos::read(&mbr);
    }
    let header = disk.read(SECTOR, 512);
    if &header[..8] != b"EFI PART" {
        return None;
    }
    let entries = disk.read(2 * SECTOR, ENTRIES as usize * ENTRY);
    let used = entries
        .chunks_exact(ENTRY)
        .zip(1..)
        .filter(|(entry, _)| entry[..16] != [0; 16]);
    let partitions = used.map(|(entry, number)| {
        let start = number_at(entry, 32);
        let units = entry[56..]
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        let name: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
        Partition {
            number,
            start,
            sectors: number_at(entry, 40) + 1 - start,
            kind: guid_text(&entry[..16]),
            uuid: guid_text(&entry[16..32]),
            name: String::from_utf16_lossy(&name),
        }
    });
    Some(Table {
        label: "gpt",
        id: guid_text(&header[56..72]),
        usable: (number_at(&header, 40), number_at(&header, 48)),
        partitions: partitions.collect(),
    })
}

fn number_at(bytes: &[u8], at: usize) -> u64 {
    (0..8).rev().fold(0, |sum, byte| sum << 8 | u64::from(bytes[at + byte]))
}

/// Mixed-endian, as UEFI stores GUIDs.
fn guid_bytes(text: &str) -> [u8; 16] {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let mut bytes = u128::from_str_radix(&digits, 16).unwrap_or(0).to_be_bytes();
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

fn guid_text(stored: &[u8]) -> String {
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let hex: String = order.iter().map(|at| format!("{:02X}", stored[*at])).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32_matches_the_standard_check_value() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_table_reads_back_as_it_was_written() {
        let mut disk = Bytes::zero(64 << 20);
        let partition = Partition {
            number: 9,
            start: 2048,
            sectors: 4096,
            kind: ZFS.to_owned(),
            uuid: "0B5D7C4A-0000-4000-8000-0123456789AB".to_owned(),
            name: "zfs-1".to_owned(),
        };
        write(&mut disk, 34, std::slice::from_ref(&partition), &mut Random::new(1));
        let table = read(&disk).expect("it was just written");
        assert_eq!((table.label, table.partitions), ("gpt", vec![partition]));
    }

    #[test]
    fn a_table_without_its_front_is_not_found() {
        let mut disk = Bytes::zero(64 << 20);
        write(&mut disk, 34, &[], &mut Random::new(1));
        disk.clear(0, 1 << 20);
        assert_eq!(read(&disk), None);
        assert!(!disk.is_zero());
    }
}
