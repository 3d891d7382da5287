use serde::{Deserialize, Serialize};

use crate::name::text;
use crate::{Invalid, Spec};

/// The name of a Debian package, such as `zfs-zed` (Debian Policy, 5.6.1): 2 to 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PackageName(String);

impl PackageName {
    /// Fails for anything but lower-case letters, digits and `+-.`, the first of them a letter or digit. The last one is
    /// no sign: apt-get would read it as an order to install or remove.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let plain = |byte: u8| letter(byte) || b"+-.".contains(&byte);
        let ends = text.bytes().next().is_some_and(letter) && text.bytes().last().is_some_and(letter);
        match (2..=64).contains(&text.len()) && ends && text.bytes().all(plain) {
            true => Ok(Self(text.to_owned())),
            false => Err(Invalid::new(
                "package",
                format!("{text:?} is not the name of a package"),
            )),
        }
    }
}
text!(PackageName);

/// Task: Proxmox's packages, ZFS, and some others are installed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsurePackages {
    /// The others, 64 at most. They are installed, and never upgraded or removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<PackageName>,
}

impl EnsurePackages {
    /// The most packages that a person may name.
    pub const MOST: usize = 64;
}

impl Spec for EnsurePackages {
    fn check(&self) -> Result<(), Invalid> {
        match self.more.len() {
            0..=Self::MOST => Ok(()),
            count => Err(Invalid::new(
                "more",
                format!("{count} packages, at most {}", Self::MOST),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_only_ever_one_plain_name() {
        for good in ["zfs-zed", "libc6", "0ad", "libstdc++6"] {
            assert_eq!(PackageName::new(good).unwrap().as_str(), good);
        }
        let long = "a".repeat(65);
        for bad in [
            "", "a", "sudo-", "g++", "-y", "a b", "a=1", "a/b", "A1", "a:arm64", "./a.deb", &long,
        ] {
            assert!(PackageName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_more_than_64_are_asked_for() {
        let of = |count| EnsurePackages {
            more: vec![PackageName::new("htop").unwrap(); count],
        };
        assert!(of(64).check().is_ok() && of(65).check().is_err());
    }
}
