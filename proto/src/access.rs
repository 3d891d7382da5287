use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::name::text;
use crate::{Invalid, Spec};

/// Characters of a name of Proxmox. The first is a letter or digit, so that a name is never an option.
fn plain(text: &str, most: usize) -> bool {
    let inner = text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && inner && text.len() <= most
}

/// The name of a user (without realm), a group or a role of Proxmox: 1 to 48 letters, digits and `._-`, the first a
/// letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccessName(String);

impl AccessName {
    /// Fails for anything but 1 to 48 letters, digits and `._-`, the first a letter or digit.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        match plain(text, 48) {
            true => Ok(Self(text.to_owned())),
            false => Err(Invalid::new(
                "name",
                format!("{text:?} (letters, digits and ._-, at most 48)"),
            )),
        }
    }
}
text!(AccessName);

/// The name of a realm of Proxmox, such as `pam` or `pve`: 2 to 32 letters, digits and `.-_`, the first a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Realm(String);

impl Realm {
    /// Fails for anything but 2 to 32 letters, digits and `.-_`, the first a letter.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        match plain(text, 32) && text.len() >= 2 && text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            true => Ok(Self(text.to_owned())),
            false => Err(Invalid::new("realm", format!("{text:?} is not the name of a realm"))),
        }
    }
}
text!(Realm);

/// A place that a role is given on, such as `/` or `/vms/100`: at most 128 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccessPath(String);

impl AccessPath {
    /// The first parts that Proxmox knows (pveum(1), "Objects and Paths").
    pub const TREES: [&str; 7] = ["access", "mapping", "nodes", "pool", "sdn", "storage", "vms"];

    /// Fails for anything but `/`, or one of [`Self::TREES`] and parts of letters, digits and `._-`, with single slashes.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let below = text.strip_prefix('/').filter(|_| text.len() <= 128);
        let known = below.is_some_and(|below| {
            let mut parts = below.split('/');
            below.is_empty()
                || parts.next().is_some_and(|tree| Self::TREES.contains(&tree)) && parts.all(|part| plain(part, 64))
        });
        match known {
            true => Ok(Self(text.to_owned())),
            false => Err(Invalid::new("path", format!("{text:?} is not a path of Proxmox"))),
        }
    }
}
text!(AccessPath);

/// What somebody may do, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Right {
    /// A role of Proxmox, such as `PVEAuditor`.
    pub role: AccessName,
    /// It counts there and below.
    pub path: AccessPath,
}

/// A group of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessGroup {
    /// Its name.
    pub name: AccessName,
    /// What its members may do; None: heeler.toml gives the group no role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<Right>,
}

/// Somebody who signs in to Proxmox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The name without the realm.
    pub name: AccessName,
    /// What checks the password: `pam` the system, `pve` Proxmox itself.
    pub realm: Realm,
    /// The groups to be a member of; each is one of the task's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<AccessName>,
    /// What this person may do, besides what the groups may; None: heeler.toml gives no role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<Right>,
}

impl Person {
    /// Name and realm, such as `ada@pve`.
    pub fn id(&self) -> String {
        format!("{}@{}", self.name, self.realm)
    }
}

/// Task: Proxmox has these groups and people, with these roles. What it has besides stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsureAccess {
    /// At most [`EnsureAccess::MOST`], each name once.
    pub groups: Vec<AccessGroup>,
    /// At most [`EnsureAccess::MOST`], each id once.
    pub people: Vec<Person>,
}

impl EnsureAccess {
    /// The most groups, and the most people.
    pub const MOST: usize = 256;
}

impl Spec for EnsureAccess {
    fn check(&self) -> Result<(), Invalid> {
        let bad = |field, problem: String| Err(Invalid::new(field, problem));
        if self.groups.len() > Self::MOST || self.people.len() > Self::MOST {
            return bad("access", format!("more than {} groups or people", Self::MOST));
        }
        let groups: BTreeSet<&AccessName> = self.groups.iter().map(|group| &group.name).collect();
        if groups.len() < self.groups.len() {
            return bad("groups", "a group is there twice".to_owned());
        }
        let people: BTreeSet<String> = self.people.iter().map(Person::id).collect();
        if people.len() < self.people.len() {
            return bad("people", "a person is there twice".to_owned());
        }
        if people.contains("root@pam") {
            return bad("people", "root@pam may do everything already".to_owned());
        }
        match self
            .people
            .iter()
            .flat_map(|person| &person.groups)
            .find(|name| !groups.contains(name))
        {
            Some(name) => bad("groups", format!("{name} is missing")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_an_option_or_two_words() {
        for good in ["ada", "PVEAdmin", "a.b-c_d", "9"] {
            assert!(AccessName::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "-a",
            ".a",
            "a b",
            "a@pve",
            "a!t",
            "a,b",
            "a:b",
            "a/b",
            "é",
            &"a".repeat(49),
        ] {
            assert!(AccessName::new(bad).is_err(), "{bad}");
        }
        for bad in ["p", "9a", "-pve", "p ve", &"p".repeat(33)] {
            assert!(Realm::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_path_is_one_that_proxmox_knows() {
        for good in [
            "/",
            "/vms",
            "/vms/100",
            "/storage/local-nvme",
            "/access/groups",
            "/sdn/zones/localnetwork/vmbr0",
        ] {
            assert_eq!(AccessPath::new(good).map(String::from).as_deref(), Ok(good));
        }
        for bad in [
            "", "vms", "/vm", "/vms/", "//vms", "/vms/..", "/vms/-x", "/etc/pve", "/ ",
        ] {
            assert!(AccessPath::new(bad).is_err(), "{bad}");
        }
    }
}
