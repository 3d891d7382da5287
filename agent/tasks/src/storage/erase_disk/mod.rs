//! A disk is overwritten with zeroes, with a consent; its labels and both ends are saved first.

mod disk_blank;
mod labels_saved;
mod target;

use heeler_proto::{EraseDisk, Irreversible};

use disk_blank::DiskBlank;
use labels_saved::LabelsSaved;

use crate::engine::AnyStep;
use crate::task::{Past, Work};

impl Work for EraseDisk {
    const USES_POOL: bool = true;

    fn steps(&self, past: &Past<'_>) -> Vec<Box<dyn AnyStep>> {
        // The newest is the last. A task does not continue what another one began.
        let begun = if past.resumed { past.interrupted } else { &[] };
        let begun = begun.iter().rev().find_map(|act| match act {
            Irreversible::EraseContents(erase) if erase.disk.serial == self.serial => Some(erase.clone()),
            _ => None,
        });
        vec![
            Box::new(LabelsSaved { task: self.clone() }),
            Box::new(DiskBlank {
                task: self.clone(),
                begun,
            }),
        ]
    }
}
