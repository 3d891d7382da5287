//! A drive's value, `STORAGE:VOLUME,option=value,…`; options are written by name.

use std::collections::BTreeMap;

/// What a guest's drive or card is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drive {
    /// What comes before the first comma.
    pub volume: String,
    pub options: BTreeMap<String, String>,
}

impl Drive {
    pub fn parse(text: &str) -> Self {
        let mut parts = text.split(',');
        let volume = parts.next().unwrap_or_default();
        let volume = volume.strip_prefix("file=").unwrap_or(volume);
        let options = parts.filter_map(|part| part.split_once('='));
        Self {
            volume: volume.to_owned(),
            options: options
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        }
    }

    pub fn text(&self) -> String {
        let options = self.options.iter().map(|(name, value)| format!(",{name}={value}"));
        self.volume.clone() + &options.collect::<String>()
    }

    pub fn is_cdrom(&self) -> bool {
        self.options.get("media").is_some_and(|media| media == "cdrom")
    }

    /// Bytes, zero when unknown.
    pub fn size(&self) -> u64 {
        self.options.get("size").map_or(0, |size| bytes(size))
    }

    /// (storage, gibibytes) of a disk that is to be made.
    pub fn to_make(&self) -> Option<(&str, f64)> {
        let (storage, size) = self.volume.split_once(':')?;
        size.parse().ok().map(|size| (storage, size))
    }
}

/// Whether a setting of this name is a disk or a CD.
pub fn is_drive(name: &str) -> bool {
    let kind = name.trim_end_matches(|c: char| c.is_ascii_digit());
    kind.len() < name.len()
        && matches!(
            kind,
            "scsi" | "virtio" | "ide" | "sata" | "efidisk" | "tpmstate" | "unused"
        )
}

/// `1G`, `64M`, `528K` or bytes.
pub fn bytes(size: &str) -> u64 {
    let units = [('K', 1 << 10), ('M', 1 << 20), ('G', 1 << 30), ('T', 1_u64 << 40)];
    let unit = units.iter().find(|(unit, _)| size.ends_with(*unit));
    let number: u64 = size.trim_end_matches(['K', 'M', 'G', 'T']).parse().unwrap_or(0);
    number * unit.map_or(1, |(_, factor)| *factor)
}

/// The shortest form of a size.
pub fn short(bytes: u64) -> String {
    let units = [("T", 1_u64 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)];
    let whole = units
        .iter()
        .find(|(_, factor)| bytes > 0 && bytes.is_multiple_of(*factor));
    whole.map_or_else(
        || bytes.to_string(),
        |(unit, factor)| format!("{}{unit}", bytes / factor),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_written_by_name() {
        let drive = Drive::parse("local:1,iothread=1,discard=on,ssd=1");
        assert_eq!(drive.text(), "local:1,discard=on,iothread=1,ssd=1");
        assert_eq!(drive.to_make(), Some(("local", 1.0)));
        assert_eq!(Drive::parse("local:iso/a.iso,media=cdrom").to_make(), None);
    }

    #[test]
    fn sizes_have_their_shortest_form() {
        for size in ["1G", "64M", "528K", "3T"] {
            assert_eq!(short(bytes(size)), size);
        }
    }
}
