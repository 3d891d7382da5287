use serde::{Deserialize, Serialize};

use crate::Invalid;

macro_rules! text {
    ($name:ident) => {
        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }
        impl std::str::FromStr for $name {
            type Err = Invalid;
            fn from_str(text: &str) -> Result<Self, Invalid> {
                Self::new(text)
            }
        }
        impl TryFrom<String> for $name {
            type Error = Invalid;
            fn try_from(text: String) -> Result<Self, Invalid> {
                Self::new(&text)
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
    };
}
pub(crate) use text;

/// A node's name: valid as a Proxmox node name and as a DNS label. 1 to 63 lower-case letters, digits and inner
/// hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName(String);

impl NodeName {
    /// Fails for anything but 1 to 63 lower-case letters, digits and inner hyphens.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        let inner = text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if text.len() <= 63 && inner && edge(text.chars().next()) && edge(text.chars().last()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new(
                "node",
                format!("{text:?} (use lower-case letters, digits, and hyphens between them; at most 63)"),
            ))
        }
    }
}
text!(NodeName);

/// A disk's serial number, as the drive reports it: 1 to 64 printable ASCII characters without spaces, slashes and
/// quotes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Serial(String);

impl Serial {
    /// Turns each inner space into `_`, as udev does in the names below `/dev/disk/by-id`. Fails when the text is
    /// empty, longer than 64, not printable ASCII, has a slash, backslash or quote, or begins with `-` or `.`.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let spaceless = text.trim_matches(' ').replace(' ', "_");
        let text = spaceless.as_str();
        let fits = text
            .chars()
            .all(|c| c.is_ascii_graphic() && !matches!(c, '/' | '\\' | '"' | '\''));
        if !text.is_empty() && text.len() <= 64 && fits && !text.starts_with(['-', '.']) {
            Ok(Self(spaceless))
        } else {
            Err(Invalid::new("serial", format!("{text:?} is not a disk serial")))
        }
    }
}
text!(Serial);

/// The id of a task: 32 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaskId(String);

impl TaskId {
    /// Fails for anything but 32 lower-case hex digits.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        if text.len() == 32 && text.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new("task_id", format!("{text:?}")))
        }
    }

    /// The id with these 128 bits, which the caller draws at random.
    pub fn from_random(bits: u128) -> Self {
        Self(format!("{bits:032x}"))
    }
}
text!(TaskId);

/// An operator's name: 1 to 64 letters, digits and `._@-`, the first a letter or digit. It is part of signed texts
/// and of a file's path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OperatorName(String);

impl OperatorName {
    /// Fails for anything but 1 to 64 letters, digits and `._@-`, the first a letter or digit.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let fits = text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '@' | '-'));
        if fits && text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new(
                "operator",
                format!("{text:?} (letters, digits and ._@-, at most 64)"),
            ))
        }
    }
}
text!(OperatorName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_names_that_proxmox_would_refuse_are_refused() {
        for good in ["k8sctl-pi5l", "a", "9", "x-1"] {
            assert!(NodeName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "a.b", "a_b", "A", "é", &"a".repeat(64)] {
            assert!(NodeName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_serial_can_never_leave_its_path() {
        for bad in ["", "../../x", " ", "-f", " -f", "a/b", ".", "a\nb"] {
            assert!(Serial::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_space_within_a_serial_is_written_as_udev_does() {
        for same in ["S6XN NS0W 1", "S6XN_NS0W_1", " S6XN NS0W 1 "] {
            assert_eq!(Serial::new(same).unwrap().as_str(), "S6XN_NS0W_1");
        }
    }
}
