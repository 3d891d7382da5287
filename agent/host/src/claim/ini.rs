/// One `Key=value` of a file in sections.
pub(super) struct Entry<'t> {
    /// Its section's name without brackets; several sections of one name are told apart by [`Self::place`].
    pub(super) section: &'t str,
    /// Which section of the file it is, from 1 on.
    pub(super) place: usize,
    pub(super) key: &'t str,
    pub(super) value: &'t str,
    /// From 1 on.
    pub(super) line: usize,
}

/// Every entry. Lines that are none are left out, as systemd and NetworkManager do.
pub(super) fn entries(text: &str) -> Vec<Entry<'_>> {
    let (mut section, mut place) = ("", 0);
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            (section, place) = (name, place + 1);
        } else if let Some((key, value)) = line.split_once('=') {
            entries.push(Entry {
                section,
                place,
                key: key.trim(),
                value: value.trim(),
                line: index + 1,
            });
        }
    }
    entries
}
