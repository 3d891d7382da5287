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

/// All entries. Other lines are skipped, as systemd and NetworkManager do. A line that continues the one before, which
/// ends with a backslash, is one more entry of the same key.
pub(super) fn entries(text: &str) -> Vec<Entry<'_>> {
    let (mut section, mut place) = ("", 0);
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut continued = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        let key = continued.take();
        let (line, more) = match line.strip_suffix('\\') {
            Some(line) => (line, true),
            None => (line, false),
        };
        if key.is_none()
            && let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'))
        {
            (section, place) = (name, place + 1);
        } else if let Some((key, value)) = key.map_or_else(|| line.split_once('='), |key| Some((key, line))) {
            continued = more.then_some(key);
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
