//! A disk is overwritten with zeroes, with a consent; its labels and both ends are saved first.

mod disk_blank;
mod labels_saved;
mod target;

use heeler_proto::{EraseDisk, Irreversible};

use disk_blank::DiskBlank;
use labels_saved::LabelsSaved;

use crate::engine::AnyStep;

/// The steps, in order. `interrupted` has the acts that this task began and did not end.
#[must_use]
pub fn steps(task: &EraseDisk, interrupted: &[Irreversible]) -> Vec<Box<dyn AnyStep>> {
    // The newest is the last.
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
