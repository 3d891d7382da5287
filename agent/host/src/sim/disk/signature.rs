use super::Bytes;

/// A signature that libblkid finds on a disk or partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim) struct Signature {
    /// Bytes from the start of the disk or partition.
    pub(in crate::sim) offset: u64,
    /// libblkid's name: `ext4`, `LVM2_member`, `zfs_member`, `gpt`, `PMBR`, `dos`…
    pub(in crate::sim) kind: &'static str,
    pub(in crate::sim) uuid: Option<String>,
    pub(in crate::sim) label: Option<String>,
    /// `filesystem`, `raid` or `other`; None for a partition table.
    pub(in crate::sim) usage: Option<&'static str>,
    /// VERSION, BLOCK_SIZE… as `blkid -p` prints them.
    pub(in crate::sim) extra: Vec<(&'static str, String)>,
}

/// The text of a label field, up to the first zero byte.
fn text(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
    Some(text).filter(|text| !text.is_empty())
}

fn uuid(bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn blocks(version: &str, size: u64, inner: u64) -> Vec<(&'static str, String)> {
    let values = [
        ("VERSION", version.to_owned()),
        ("FSBLOCKSIZE", "4096".to_owned()),
        ("FSLASTBLOCK", (size / 4096).to_string()),
        ("FSSIZE", inner.to_string()),
    ];
    values.to_vec()
}

/// The signatures between `start` and `start + size`, without partition tables.
pub(in crate::sim) fn find(disk: &Bytes, start: u64, size: u64) -> Vec<Signature> {
    let front = disk.read(start, 8192.min(usize::try_from(size).unwrap_or(8192)));
    let mut found = Vec::new();
    if front.len() < 8192 {
        return found;
    }
    if front[0x438..0x43a] == [0x53, 0xef] {
        found.push(Signature {
            offset: 0x438,
            kind: "ext4",
            uuid: Some(uuid(&front[0x468..0x478])),
            label: text(&front[0x478..0x488]),
            usage: Some("filesystem"),
            extra: [blocks("1.0", size, size), vec![("BLOCK_SIZE", "4096".to_owned())]].concat(),
        });
    }
    if &front[0x200..0x208] == b"LABELONE" {
        let id = String::from_utf8_lossy(&front[0x220..0x240]).into_owned();
        let cuts = [0..6, 6..10, 10..14, 14..18, 18..22, 22..26, 26..32];
        found.push(Signature {
            offset: 0x218,
            kind: "LVM2_member",
            uuid: Some(cuts.map(|cut| id[cut].to_owned()).join("-")),
            label: None,
            usage: Some("raid"),
            extra: vec![("VERSION", "LVM2 001".to_owned())],
        });
    }
    if &front[82..87] == b"FAT32" {
        found.push(Signature {
            offset: 0x52,
            kind: "vfat",
            uuid: Some(format!(
                "{:02X}{:02X}-{:02X}{:02X}",
                front[70], front[69], front[68], front[67]
            )),
            label: text(&front[71..82]).map(|label| label.trim_end().to_owned()),
            usage: Some("filesystem"),
            extra: vec![("VERSION", "FAT32".to_owned())],
        });
    }
    if &front[4086..4096] == b"SWAPSPACE2" {
        found.push(Signature {
            offset: 4086,
            kind: "swap",
            uuid: Some(uuid(&front[1036..1052])),
            label: None,
            usage: Some("other"),
            extra: [
                blocks("1", size, size - 4096),
                vec![("ENDIANNESS", "LITTLE".to_owned())],
            ]
            .concat(),
        });
    }
    found.extend(crate::sim::zfs::signatures(disk, start, size));
    found
}

/// The signatures of partition tables on a whole disk.
pub(in crate::sim) fn tables(disk: &Bytes) -> Vec<Signature> {
    let table = |offset, kind| Signature {
        offset,
        kind,
        uuid: None,
        label: None,
        usage: None,
        extra: Vec::new(),
    };
    let last = disk.size() / 512 * 512 - 512;
    match super::gpt::read(disk) {
        Some(found) if found.label == "gpt" => {
            let backup = (&disk.read(last, 8)[..] == b"EFI PART").then(|| table(last, "gpt"));
            let front = [table(0x200, "gpt")];
            front.into_iter().chain(backup).chain([table(0x1fe, "PMBR")]).collect()
        }
        Some(_) => vec![table(0x1fe, "dos")],
        None => {
            let mbr = disk.read(0, 512);
            let protective = mbr.len() == 512 && mbr[510..] == [0x55, 0xaa] && mbr[450] == 0xee;
            protective.then(|| table(0x1fe, "PMBR")).into_iter().collect()
        }
    }
}
