use heeler_proto::v1::{Blocked, DiskUse, Facts};

use super::act::row;
use super::line::hang;
use super::{Ink, Line, Screen};
use crate::config::{Config, Place};

/// A block: what was found, why it stops, what to type.
pub(super) fn blocked(blocked: &Blocked, indent: usize, screen: Screen) -> Vec<Line> {
    let blank = " ".repeat(indent);
    let mut said = sentence(&blocked.found);
    if !blocked.why.is_empty() {
        said.push(' ');
        said.push_str(&sentence(&blocked.why));
    }
    let mut lines = hang(Line::of(&blank), Ink::Plain, &said, screen);
    if !blocked.next.is_empty() {
        lines.extend(hang(
            Line::of(&blank).ink(Ink::Dim, "-> "),
            Ink::Plain,
            &blocked.next,
            screen,
        ));
    }
    lines
}

/// Makes the text a sentence, with a capital and a full stop.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut chars = text.chars();
    // A serial, path or command keeps its case.
    let first_word = text.split_whitespace().next().unwrap_or_default();
    let is_a_word = first_word.chars().all(|c| c.is_ascii_lowercase());
    let mut said = match chars.next() {
        Some(first) if is_a_word => first.to_uppercase().chain(chars).collect(),
        _ => text.to_owned(),
    };
    if !said.is_empty() && !said.ends_with(['.', '!', '?', ':']) {
        said.push('.');
    }
    said
}

/// Line of heeler.toml that the reason is about: the disk that it names, else the node.
pub(super) fn place(reason: Option<&Blocked>, config: Option<&Config>, node: &str) -> Option<Place> {
    let node = config?.nodes.iter().find(|one| one.name.value.as_str() == node)?;
    let said = reason
        .map(|reason| format!("{} {}", reason.found, reason.why))
        .unwrap_or_default();
    let mut named = node.disks.iter().filter(|disk| said.contains(disk.value.as_str()));
    Some(named.next().map_or(node.name.place, |disk| disk.place))
}

/// When heeler.toml names a disk that the node does not have: its unused disks, and a similar serial that may be
/// meant.
pub(super) fn free_disks(config: Option<&Config>, node: &str, facts: &Facts) -> Vec<Line> {
    let wanted = config.and_then(|config| config.nodes.iter().find(|one| one.name.value.as_str() == node));
    let Some(wanted) = wanted else { return Vec::new() };
    let has = |serial: &str| facts.disks.iter().any(|disk| disk.serial == serial);
    let missing: Vec<&str> = wanted
        .disks
        .iter()
        .map(|disk| disk.value.as_str())
        .filter(|serial| !has(serial))
        .collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let named = |serial: &str| wanted.disks.iter().any(|disk| disk.value.as_str() == serial);
    let mut lines = Vec::new();
    let free: Vec<_> = facts
        .disks
        .iter()
        .filter(|disk| disk.r#use == DiskUse::Blank as i32 && !named(&disk.serial))
        .collect();
    for serial in missing {
        if let Some(meant) = free.iter().find(|disk| same_but_for_a_slip(serial, &disk.serial)) {
            let meant = &meant.serial;
            lines.push(Line::of(format!(
                "  Was {meant} meant? You wrote a letter in place of a digit."
            )));
        }
    }
    if free.is_empty() {
        lines.push(Line::of("  No disk of this node is free."));
    } else {
        lines.push(Line::of("  Free:"));
        lines.extend(
            free.iter()
                .map(|disk| row(&disk.slot, &disk.serial, disk.size_bytes, &disk.finding)),
        );
    }
    lines
}

fn same_but_for_a_slip(written: &str, real: &str) -> bool {
    let plain = |text: &str| text.to_uppercase().replace('O', "0").replace(['I', 'L'], "1");
    plain(written) == plain(real)
}
