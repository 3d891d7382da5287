//! Recognises the remains of a file system, partition table or file by magic numbers.

pub(super) const PAGE: usize = 4096;

/// Offset of the magic number from the start of the header, the magic number, the name of what it marks.
const KNOWN: &[(usize, &[u8], &str)] = &[
    (0x38, b"\x53\xef", "ext superblock"),
    (0, b"XFSB", "XFS superblock"),
    (0, b"XAGF", "XFS allocation group"),
    (0x40, b"_BHRfS_M", "btrfs superblock"),
    (3, b"NTFS    ", "NTFS boot sector"),
    (0, b"FILE0", "NTFS file record"),
    (0, b"INDX", "NTFS folder"),
    (3, b"EXFAT   ", "exFAT boot sector"),
    (82, b"FAT32   ", "FAT32 boot sector"),
    (0, b"\x10\x20\xf5\xf2", "F2FS superblock"),
    (0, b"\xc0\x3b\x39\x98", "ext journal"),
    (0, b"EFI PART", "GPT header"),
    (0, b"\xaf\x3d\xc6\x0f\x83\x84\x72\x47", "GPT partition entry"),
    (0, b"\xa2\xa0\xd0\xeb\xe5\xb9\x33\x44", "GPT partition entry"),
    (0, b"LUKS\xba\xbe", "LUKS header"),
    (0, b"SKUL\xba\xbe", "LUKS header"),
    (0, b"LABELONE", "LVM label"),
    (4, b" LVM2 x[5A%r0N*>", "LVM metadata"),
    (0, b"\xfc\x4e\x2b\xa9", "Linux RAID superblock"),
    (24, b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca", "bcache superblock"),
    (4086, b"SWAPSPACE2", "swap header"),
    (0, b"\x02\0\0\0\0\0\x34\x34", "NILFS2 superblock"),
    (52, b"ReIsEr", "ReiserFS superblock"),
    (0, b"JFS1", "JFS superblock"),
    (0, b"hsqs", "squashfs superblock"),
    (1, b"CD001", "ISO 9660 descriptor"),
    (1, b"BEA01", "UDF descriptor"),
    (0, b"\x5e\xf1\xab\x2f", "VMFS header"),
    (0, b"\x0d\xd0\x01\xc0", "VMFS volume header"),
    (0, b"\x0c\xb1\xba\0\0\0\0\0", "ZFS uberblock"),
    (0, b"\xff\xd8\xff", "JPEG picture"),
    (0, b"\x89PNG", "PNG picture"),
    (4, b"ftyp", "film"),
    (0, b"%PDF", "PDF document"),
    (0, b"PK\x03\x04", "ZIP archive"),
];

/// The shortest run of printable characters that counts as text.
const TEXT: usize = 8;

/// What is in `page`, and its offset: of a known header, or of the first byte that is not zero (`found`).
pub(super) fn recognise(page: &[u8], found: usize) -> (usize, &'static str) {
    // A header begins at the page, an ext superblock possibly 1 KiB after it, a boot sector at its sector.
    for base in [0, 1024, found - found % 512] {
        for (at, magic, what) in KNOWN {
            if page.get(base + at..).is_some_and(|rest| rest.starts_with(magic)) {
                return (base, extended(page, base, what));
            }
        }
    }
    let letters = page.iter().skip(found).take(TEXT);
    match letters
        .filter(|byte| matches!(byte, b'\n' | b'\t' | b' '..=b'~'))
        .count()
    {
        TEXT => (found, "text"),
        _ => (found, "unknown data"),
    }
}

/// Tells ext2, ext3 and ext4 superblocks apart: ext4 has the feature "extents", ext3 a journal.
fn extended(page: &[u8], base: usize, what: &'static str) -> &'static str {
    let bit = |at: usize, bit: u8| page.get(base + at).is_some_and(|byte| byte & bit != 0);
    match what {
        "ext superblock" if bit(0x60, 0x40) => "ext4 superblock",
        "ext superblock" if bit(0x5c, 4) => "ext3 superblock",
        "ext superblock" => "ext2 superblock",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_recognised_by_its_magic_number() {
        for (base, (at, magic, what)) in KNOWN.iter().flat_map(|known| [(0, known), (512, known)]) {
            let mut page = vec![0; PAGE];
            if base + at + magic.len() > PAGE {
                continue;
            }
            page[base + at..base + at + magic.len()].copy_from_slice(magic);
            page[base] |= u8::from(*at > 0);
            let found = page.iter().position(|byte| *byte != 0).unwrap();
            let (begins, told) = recognise(&page, found);
            assert_eq!(begins, base, "{what}");
            assert!(told == *what || what.starts_with("ext "), "{what}: {told}");
        }
    }

    #[test]
    fn text_is_recognised_and_other_data_is_unknown() {
        let mut page = vec![0; PAGE];
        page[700..716].copy_from_slice(b"the only copy of");
        assert_eq!(recognise(&page, 700), (700, "text"));
        page[700] = 0x80;
        assert_eq!(recognise(&page, 700), (700, "unknown data"));
        assert_eq!(recognise(&[7], 0), (0, "unknown data"));
    }
}
