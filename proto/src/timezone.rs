use serde::{Deserialize, Serialize};

use crate::name::text;
use crate::{Invalid, Spec};

/// A name of the IANA time zone database, such as `Australia/Brisbane`: at most 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeZone(String);

impl TimeZone {
    /// Fails for anything but letters, digits and `_+-`, with single slashes between them.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let part = |part: &str| {
            let inner = part.chars().all(|c| c.is_ascii_alphanumeric() || "_+-".contains(c));
            inner && part.starts_with(|c: char| c.is_ascii_alphabetic())
        };
        match text.len() <= 64 && text.split('/').all(part) {
            true => Ok(Self(text.to_owned())),
            false => Err(Invalid::new(
                "timezone",
                format!("{text:?} is not the name of a time zone"),
            )),
        }
    }
}
text!(TimeZone);

/// Task: the node shows local times in this zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsureTimezone {
    /// The zone to set.
    pub zone: TimeZone,
}

impl Spec for EnsureTimezone {}
