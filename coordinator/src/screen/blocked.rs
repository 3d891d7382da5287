use heeler_proto::v1::{Blocked, DiskUse, Facts, TomlKey};

use super::act::row;
use super::line::hang;
use super::{Ink, Line, Screen};
use crate::config::{Config, Defaults, Node, Place, PoolSettings};

/// A block: what was found, why it stops, what to type.
pub(super) fn blocked(blocked: &Blocked, indent: usize, screen: Screen) -> Vec<Line> {
    let blank = " ".repeat(indent);
    let mut said = sentence(&blocked.found);
    if !blocked.why.is_empty() {
        said.push(' ');
        said.push_str(&sentence(&blocked.why));
    }
    let mut lines = hang(Line::of(&blank), Ink::Plain, &said, screen);
    let advice = blocked.advice("");
    if !advice.is_empty() {
        lines.extend(hang(Line::of(&blank).ink(Ink::Dim, "-> "), Ink::Plain, &advice, screen));
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

/// Position in heeler.toml that the reason is about; the node's, when it is about no key, or the file lacks the key.
pub(super) fn place(reason: Option<&Blocked>, config: Option<&Config>, node: &str) -> Option<Place> {
    let config = config?;
    let node = config.nodes.iter().find(|one| one.name.value.as_str() == node)?;
    let about = reason.and_then(|reason| about(reason, config, node));
    Some(about.unwrap_or(node.name.place))
}

/// Position of the key that the reason is about; None when there is none, or the file lacks it.
fn about(reason: &Blocked, config: &Config, node: &Node) -> Option<Place> {
    let pool = |of: fn(&PoolSettings) -> Option<Place>| of(&node.pool).or_else(|| of(&config.pool));
    let base = |of: fn(&Defaults) -> Option<Place>| of(&node.defaults).or_else(|| of(&config.defaults));
    match reason.key() {
        TomlKey::Unspecified => None,
        TomlKey::PoolName => pool(|pool| Some(pool.name.as_ref()?.place)),
        TomlKey::ArcMax => pool(|pool| Some(pool.arc_max_bytes.as_ref()?.place)),
        TomlKey::Backplane => Some(node.backplane.as_ref()?.address.place),
        TomlKey::Proxmox => Some(config.proxmox.as_ref()?.place),
        TomlKey::Locale => base(|base| Some(base.locale.as_ref()?.place)),
        TomlKey::System => {
            let item = &reason.item;
            node.system.place(item).or_else(|| config.system.place(item))
        }
        TomlKey::Disks => {
            let disk = node.disks.iter().find(|disk| disk.value.as_str() == reason.item);
            disk.map(|disk| disk.place).or(node.disks_place)
        }
        TomlKey::Datasets => {
            let datasets = node.pool.datasets.as_ref().or(config.pool.datasets.as_ref())?;
            let dataset = datasets.iter().find(|one| one.value.name == reason.item)?;
            Some(dataset.place)
        }
    }
}

/// What to do about the reason, with the line of heeler.toml where something is to be changed.
pub(super) fn way(reason: Option<&Blocked>, config: Option<&Config>, node: &str) -> String {
    let Some(reason) = reason else { return String::new() };
    let settings = config.and_then(|config| config.nodes.iter().find(|one| one.name.value.as_str() == node));
    let about = config
        .zip(settings)
        .and_then(|(config, node)| about(reason, config, node));
    let place = match (about, reason.key()) {
        (Some(place), _) => format!(", line {}", place.line),
        (None, TomlKey::PoolName | TomlKey::ArcMax | TomlKey::Datasets) => ", below [pool]".to_owned(),
        (None, TomlKey::System) => ", below [system]".to_owned(),
        (None, TomlKey::Unspecified) => String::new(),
        (None, _) => format!(", below [nodes.{node}]"),
    };
    reason.advice(&place)
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
