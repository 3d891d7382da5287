use serde::{Deserialize, Serialize};

use crate::v1;

/// Orders the assignments to one node: the larger one is newer, the epoch first. A coordinator that was restored from
/// a copy starts a new epoch, so that its assignments are newer than any that were made after that copy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Generation {
    /// Number of the epoch, from 1; 0 before the first assignment.
    pub epoch: u64,
    /// Number within the epoch, from 1; 0 before the first assignment.
    pub counter: u64,
}

impl From<v1::Generation> for Generation {
    fn from(wire: v1::Generation) -> Self {
        Self {
            epoch: wire.epoch,
            counter: wire.counter,
        }
    }
}

impl From<Generation> for v1::Generation {
    fn from(generation: Generation) -> Self {
        Self {
            epoch: generation.epoch,
            counter: generation.counter,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_epoch_beats_every_counter_of_the_old_one() {
        assert!(
            Generation { epoch: 2, counter: 1 }
                > Generation {
                    epoch: 1,
                    counter: u64::MAX
                }
        );
    }
}
