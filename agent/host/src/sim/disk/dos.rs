use super::Bytes;
use super::gpt::{Partition, Table};

/// An entry of the table: first sector, sectors, type.
pub(in crate::sim) type Entry = (u32, u32, u8);

/// Writes a DOS partition table with primary partitions, as on a Raspberry Pi's card.
pub(in crate::sim) fn write(disk: &mut Bytes, id: u32, entries: &[Entry]) {
    let mut sector = vec![0; 512];
    sector[440..444].copy_from_slice(&id.to_le_bytes());
    for (at, (start, sectors, kind)) in entries.iter().take(4).enumerate() {
        let entry = &mut sector[446 + 16 * at..][..16];
        entry[4] = *kind;
        entry[8..12].copy_from_slice(&start.to_le_bytes());
        entry[12..].copy_from_slice(&sectors.to_le_bytes());
    }
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    disk.write(0, &sector);
}

/// Reads the table in the first sector; None for a FAT boot sector, which has the same magic number.
pub(super) fn read(sector: &[u8]) -> Option<Table> {
    if &sector[82..87] == b"FAT32" {
        return None;
    }
    let word = |at: usize| u32::from_le_bytes([sector[at], sector[at + 1], sector[at + 2], sector[at + 3]]);
    let id = word(440);
    let partitions = (0..4).filter_map(|at| {
        let entry = 446 + 16 * at;
        let number = at as u32 + 1;
        (sector[entry + 4] != 0).then(|| Partition {
            number,
            start: u64::from(word(entry + 8)),
            sectors: u64::from(word(entry + 12)),
            kind: format!("0x{:x}", sector[entry + 4]),
            uuid: format!("{id:08x}-{number:02x}"),
            name: String::new(),
        })
    });
    Some(Table {
        label: "dos",
        id: format!("0x{id:08x}"),
        usable: (0, 0),
        partitions: partitions.collect(),
    })
}
