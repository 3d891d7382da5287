use serde::{Deserialize, Serialize};

use crate::Spec;

/// Task: no package is damaged or installed in part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsureSound {}

impl Spec for EnsureSound {}
