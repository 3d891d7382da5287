/// One `Key=value` line.
pub(super) struct Entry<'t> {
    /// The section's name without brackets. Sections of the same name differ by [`Self::place`].
    pub(super) section: &'t str,
    /// The section's number in the file, from 1.
    pub(super) place: usize,
    pub(super) key: &'t str,
    pub(super) value: &'t str,
    /// The line's number, from 1.
    pub(super) line: usize,
}

/// All entries. Other lines are skipped, as systemd and NetworkManager do.
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
