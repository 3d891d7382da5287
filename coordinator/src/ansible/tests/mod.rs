mod bad;
mod nodes;
mod secrets;
mod seed;

use super::{Fleet, read};
use crate::config::{self, Config};

/// What an inventory gives, with the heeler.toml and its content.
pub(super) struct Given {
    pub(super) fleet: Fleet,
    pub(super) toml: String,
    pub(super) config: Config,
}

/// Reads an inventory that has no mistake.
pub(super) fn given(inventory: impl AsRef<[u8]>) -> Given {
    let inventory = inventory.as_ref();
    let shown = String::from_utf8_lossy(inventory);
    let fleet = read(inventory, &[]).unwrap_or_else(|mistakes| panic!("{mistakes:?} in\n{shown}"));
    let toml = fleet.toml("k8sctl", &["10.10.80.9:7443".parse().unwrap()]);
    let config = config::parse(&toml).unwrap_or_else(|errors| panic!("{errors:?} in\n{toml}\nof\n{shown}"));
    Given { fleet, toml, config }
}

/// What is said about an inventory with mistakes.
pub(super) fn refused(inventory: impl AsRef<[u8]>) -> Vec<String> {
    let mistakes = read(inventory.as_ref(), &[]).err().unwrap_or_default();
    mistakes.iter().map(ToString::to_string).collect()
}

/// Each note as `what (lines): text`.
pub(super) fn said(notes: &[heeler_proto::json::AnsibleNote]) -> Vec<String> {
    let one = |note: &heeler_proto::json::AnsibleNote| format!("{} {:?}: {}", note.what, note.lines, note.text);
    notes.iter().map(one).collect()
}
