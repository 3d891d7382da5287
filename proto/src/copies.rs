use serde::{Deserialize, Serialize};

use crate::{Invalid, PoolName, Spec};

/// Task: each day the node copies what lives on its SD card to its pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepCopies {
    /// The pool that the copies go to.
    pub pool: PoolName,
    /// The number of copies to keep, one a day, at most [`KeepCopies::MOST`]; 0: none are made, and none removed.
    pub keep: u32,
}

impl KeepCopies {
    /// The most copies on a pool.
    pub const MOST: u32 = 90;
    /// The number of copies unless heeler.toml says otherwise.
    pub const USUAL: u32 = 14;
}

impl Spec for KeepCopies {
    fn check(&self) -> Result<(), Invalid> {
        match self.keep <= Self::MOST {
            true => Ok(()),
            false => Err(Invalid::new(
                "keep",
                format!("{} copies are more than {}", self.keep, Self::MOST),
            )),
        }
    }
}
