use std::collections::BTreeSet;

use heeler_host::disk::Disk;
use heeler_proto::Serial;

/// Such as `S6XNNS0W100001 (slot A, 128 GB)`.
pub(super) fn disk(disk: &Disk) -> String {
    let size = size(disk.size_bytes);
    match disk.slot {
        Some(slot) => format!("{} (slot {slot}, {size})", disk.serial),
        None => format!("{} ({size})", disk.serial),
    }
}

/// Such as `S6XNNS0W100001 (slot A, 128 GB): ext4 file system "backup"`.
pub(super) fn finding(one: &Disk) -> String {
    format!("{}: {}", disk(one), one.state.finding())
}

/// In decimal units, as on a drive's label.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        1_000_000_000..10_000_000_000_000 => format!("{} GB", bytes / 1_000_000_000),
        _ => format!("{} TB", bytes / 1_000_000_000_000),
    }
}

/// The commands that destroy all data of a pool, with that warning.
pub(super) fn erase<'a>(pool: &str, serials: impl IntoIterator<Item = &'a str>) -> String {
    let commands: Vec<String> = serials
        .into_iter()
        .map(|serial| format!("heeler disk erase {serial}"))
        .collect();
    format!(
        "To destroy all data of pool {pool}, which cannot be undone: {}",
        commands.join("; ")
    )
}

/// One word for a shell: quoted when the shell would split or change it.
pub(super) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@,=%".contains(c);
    match text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

pub(super) fn list<'a>(serials: impl IntoIterator<Item = &'a str>) -> String {
    serials.into_iter().collect::<Vec<_>>().join(", ")
}

/// Why other serials in heeler.toml block a plan, and where to read how a disk is replaced.
pub(super) const OTHER_DISKS: &str = "heeler.toml names other disks. A disk is replaced on the node first, with zpool replace, and in heeler.toml after it: heeler handbook, \"A disk is dead\"";

/// As in heeler.toml: `disks = ["A1", "B1"]`.
pub(super) fn disks(serials: &BTreeSet<&str>) -> String {
    format!("disks = {:?}", serials.iter().collect::<Vec<_>>())
}

pub(super) fn set(serials: &[Serial]) -> BTreeSet<&str> {
    serials.iter().map(Serial::as_str).collect()
}

/// How `here` differs from `wanted`, such as `the pool has S3; heeler.toml says S2`; None when they are equal.
pub(super) fn difference(here: &BTreeSet<&str>, wanted: &BTreeSet<&str>) -> Option<String> {
    let more: Vec<&str> = here.difference(wanted).copied().collect();
    let less: Vec<&str> = wanted.difference(here).copied().collect();
    match (more.is_empty(), less.is_empty()) {
        (true, true) => None,
        (false, true) => Some(format!("the pool also has {}", list(more))),
        (true, false) => Some(format!("the pool does not have {}", list(less))),
        (false, false) => Some(format!("the pool has {}; heeler.toml says {}", list(more), list(less))),
    }
}

/// How `typed` may be a misspelling of `there`; None when they are not similar.
pub(super) fn slip(typed: &str, there: &str) -> Option<&'static str> {
    let plain = |text: &str| -> Vec<char> { text.to_ascii_uppercase().chars().collect() };
    let (a, b) = (plain(typed), plain(there));
    let same = |with: [(char, char); 2]| {
        let fold = |c: &char| with.iter().find(|(from, _)| from == c).map_or(*c, |(_, to)| *to);
        a.iter().map(fold).eq(b.iter().map(fold))
    };
    if a == b {
        Some("other case?")
    } else if same([('O', '0'), ('\0', '\0')]) {
        Some("letter O for zero?")
    } else if same([('I', '1'), ('L', '1')]) {
        Some("letter for one?")
    } else if one_edit(&a, &b) {
        Some("one character off?")
    } else {
        None
    }
}

/// Whether one character was changed, added or left out, or two neighbours were swapped.
fn one_edit(a: &[char], b: &[char]) -> bool {
    let front = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[front..], &b[front..]);
    match (a, b) {
        ([_, x @ ..], [_, y @ ..]) if x == y => true,
        ([_, x @ ..], y) if x == y => true,
        (x, [_, y @ ..]) if x == y => true,
        ([p, q, x @ ..], [r, s, y @ ..]) => p == s && q == r && x == y,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_in_serials_are_recognised() {
        let there = "S6XNNS0W100003";
        for (typed, words) in [
            ("S6XNNS0W1OOOO3", Some("letter O for zero?")),
            ("S6XNNSOW100003", Some("letter O for zero?")),
            ("S6XNNS0WI00003", Some("letter for one?")),
            ("s6xnns0w100003", Some("other case?")),
            ("S6XNNS0W100004", Some("one character off?")),
            ("S6XNNS0W10003", Some("one character off?")),
            ("S6XNNS0W1000033", Some("one character off?")),
            ("S6XNSN0W100003", Some("one character off?")),
            ("S6XNNS0W200004", None),
            ("", None),
        ] {
            assert_eq!(slip(typed, there), words, "{typed}");
        }
    }

    #[test]
    fn a_difference_names_both_sides() {
        let set = |text: &'static str| -> BTreeSet<&str> { text.split_whitespace().collect() };
        assert_eq!(difference(&set("A B"), &set("B A")), None);
        assert_eq!(
            difference(&set("A C"), &set("A B")).as_deref(),
            Some("the pool has C; heeler.toml says B")
        );
        assert_eq!(
            difference(&set("A"), &set("A B")).as_deref(),
            Some("the pool does not have B")
        );
    }
}
