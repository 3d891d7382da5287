//! A disk is blank, after consent; what it said of itself is kept.

mod disk_blank;
mod labels_saved;
mod target;

use heeler_proto::{EraseDisk, Irreversible};

use disk_blank::DiskBlank;
use labels_saved::LabelsSaved;

use crate::engine::AnyStep;

/// `interrupted`: acts that this very task has begun and not ended.
#[must_use]
pub fn steps(task: &EraseDisk, interrupted: &[Irreversible]) -> Vec<Box<dyn AnyStep>> {
    // The newest comes last.
    let begun = interrupted.iter().rev().find_map(|act| match act {
        Irreversible::EraseContents(erase) if erase.disk.serial == task.serial => Some(erase.clone()),
        _ => None,
    });
    vec![
        Box::new(LabelsSaved { task: task.clone() }),
        Box::new(DiskBlank {
            task: task.clone(),
            begun,
        }),
    ]
}
