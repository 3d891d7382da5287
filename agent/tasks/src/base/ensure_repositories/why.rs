use heeler_host::apt::{self, Trouble};
use heeler_proto::EnsureRepositories;

use crate::engine::{Blocked, Key};

/// What a person can do about a failed `apt-get update`.
pub(super) fn explain(task: &EnsureRepositories, printed: &str) -> Option<Blocked> {
    let (said, trouble) = apt::trouble(printed)?;
    let ours = said.contains(task.uri.as_str());
    let whose = if ours {
        "Proxmox's repository"
    } else {
        "a package source of this node"
    };
    let again = "then: heeler apply";
    let (why, next) = match trouble {
        Trouble::OtherKey if ours => (
            format!("only a signature of the key {} counts", task.key),
            "ask the repository's owner for the fingerprint of its key, and compare. If the key has changed, write the new one into heeler.toml".to_owned(),
        ),
        Trouble::OtherKey => (
            format!("{whose} is signed by a key that the node does not have"),
            "give that source its key, or remove it from /etc/apt on the node".to_owned(),
        ),
        Trouble::BadSignature => (
            format!("what {whose} sent has no valid signature, so somebody may have changed it"),
            "if it fails again in an hour, use another mirror".to_owned(),
        ),
        Trouble::Expired => (
            format!("{whose} sent an old copy, or the node's clock is wrong"),
            "on the node: date; when that is right, use another mirror".to_owned(),
        ),
        Trouble::NotYet => (
            "the node's clock is behind".to_owned(),
            "on the node: timedatectl shows whether the clock is synchronised; wait until it is".to_owned(),
        ),
        Trouble::NoSuite => (
            format!("{whose} is not at this address, or does not have this suite"),
            "correct the address or the suite".to_owned(),
        ),
        Trouble::Damaged => (
            format!("{whose} is being updated, or damaged"),
            "wait an hour".to_owned(),
        ),
        Trouble::Full => (
            "the node's root file system is full".to_owned(),
            "on the node: df -h / and sudo apt-get clean, which removes downloaded packages only".to_owned(),
        ),
        Trouble::Locked => (
            "another program uses apt on the node".to_owned(),
            "wait until it ends".to_owned(),
        ),
        Trouble::TwoKeys => (
            "apt reads no source at all when two files name one repository with different keys".to_owned(),
            "move one of the two files in /etc/apt/sources.list.d away on the node".to_owned(),
        ),
        Trouble::Gone | Trouble::Unreachable => (
            format!("the node does not reach {whose}"),
            "look at the node's network and at the address".to_owned(),
        ),
    };
    let blocked = Blocked::new(format!("apt-get update: {said}"), why, format!("{next}; {again}"));
    Some(if ours { blocked.at(Key::Proxmox, "") } else { blocked })
}
