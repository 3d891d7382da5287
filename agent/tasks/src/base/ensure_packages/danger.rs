//! What no installation may do to a node.

use heeler_host::apt::Change;

use crate::engine::Blocked;

/// Packages without which a node does not start, is not reached, or loses its pool. A `*` stands for any end.
const KEPT: [&str; 22] = [
    "heeler-agent",
    "linux-image-*",
    "raspi-firmware",
    "rpi-eeprom",
    "initramfs-tools*",
    "systemd",
    "systemd-sysv",
    "udev",
    "sudo",
    "openssh-server",
    "libc6",
    "network-manager",
    "netplan.io",
    "ifupdown2",
    "iproute2",
    "pve-*",
    "qemu-server",
    "corosync",
    "zfs*",
    "libzfs*",
    "libzpool*",
    "libnvpair*",
];
/// What of those another package may take the place of: ifupdown2 reads the same files.
const REPLACED: [(&str, &str); 1] = [("ifupdown", "ifupdown2")];

/// Why this must not be done; None when it may.
pub(super) fn danger(changes: &[Change], zfs_before: &[(String, String)]) -> Option<Blocked> {
    removed(changes).or_else(|| two_versions(changes, zfs_before))
}

fn removed(changes: &[Change]) -> Option<Blocked> {
    let comes = |name: &str| changes.iter().any(|change| change.to.is_some() && change.name == name);
    let lost = changes.iter().find(|change| {
        let kept = KEPT.iter().any(|pattern| fits(pattern, &change.name)) || change.name == "ifupdown";
        let replaced = REPLACED.iter().any(|(old, new)| *old == change.name && comes(new));
        change.to.is_none() && kept && !replaced && !changes.iter().any(|other| follows(other, change))
    })?;
    Some(Blocked::new(
        format!("apt would remove {}", lost.name),
        "without it the node might not start, not be reached, or lose its pool",
        format!(
            "on the node: apt-get -s --no-install-recommends install pve-manager shows what it does not fit; look in \
             /etc/apt/preferences.d and with apt-mark showhold for the cause, never remove {} by hand; then: heeler apply",
            lost.name
        ),
    ))
}

/// Whether `new` is the library of `old` with another number in its name: `libzfs7linux` comes for `libzfs6linux`.
fn follows(new: &Change, old: &Change) -> bool {
    let stem = |name: &str| name.replace(|c: char| c.is_ascii_digit(), "");
    new.to.is_some() && new.name.starts_with("lib") && new.name != old.name && stem(&new.name) == stem(&old.name)
}

/// Programs of one version of ZFS beside the module of another one: the pool may not be imported at the next boot.
fn two_versions(changes: &[Change], before: &[(String, String)]) -> Option<Blocked> {
    let after = |name: &str| {
        let changed = changes.iter().find(|change| change.name == name);
        let stays = || {
            before
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, version)| version.clone())
        };
        changed.map_or_else(stays, |change| change.to.clone())
    };
    let (programs, module) = (after("zfsutils-linux")?, after(super::set::MODULE)?);
    (upstream(&programs) != upstream(&module)).then(|| {
        Blocked::new(
            format!("zfsutils-linux would be {programs} beside {} {module}", super::set::MODULE),
            "ZFS's programs and its module must be of one version",
            "on the node: apt-cache policy zfsutils-linux zfs-dkms shows which source has which; \
             heeler.toml takes all of ZFS from Debian, so look for another file in /etc/apt/preferences.d; then: heeler apply",
        )
    })
}

/// `2.4.4` of `2.4.4-pve1`: a Debian revision changes packaging.
pub(super) fn upstream(version: &str) -> &str {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    version.split('-').next().unwrap_or_default()
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(begin) => name.starts_with(begin),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(name: &str, from: &str, to: &str) -> Change {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Change {
            name: name.to_owned(),
            from: some(from),
            to: some(to),
        }
    }

    fn found(changes: &[Change]) -> Option<String> {
        danger(changes, &[]).map(|blocked| blocked.found)
    }

    #[test]
    fn what_a_node_needs_is_never_removed() {
        for name in [
            "linux-image-rpi-v8",
            "raspi-firmware",
            "openssh-server",
            "sudo",
            "systemd",
            "heeler-agent",
            "network-manager",
            "ifupdown",
            "zfsutils-linux",
            "pve-manager",
        ] {
            let lost = [change(name, "1", ""), change("other", "", "1")];
            assert_eq!(found(&lost), Some(format!("apt would remove {name}")));
        }
        assert_eq!(found(&[change("exim4-daemon-light", "1", "")]), None);
        assert_eq!(
            found(&[change("ifupdown", "1", ""), change("ifupdown2", "", "3")]),
            None
        );
    }

    #[test]
    fn a_library_may_follow_another_one() {
        let old = change("libzfs6linux", "2.3.9", "");
        assert!(found(std::slice::from_ref(&old)).is_some());
        assert_eq!(found(&[old.clone(), change("libzfs7linux", "", "2.4.4")]), None);
        assert!(found(&[old, change("libzpool7linux", "", "2.4.4")]).is_some());
    }

    #[test]
    fn programs_never_leave_their_module_behind() {
        let before = [("zfs-dkms".to_owned(), "2.4.1-1~bpo13+1~rpt1".to_owned())];
        let pve = change("zfsutils-linux", "2.4.1-1~bpo13+1~rpt1", "2.4.4-pve1");
        let blocked = danger(std::slice::from_ref(&pve), &before).unwrap();
        assert_eq!(
            blocked.found,
            "zfsutils-linux would be 2.4.4-pve1 beside zfs-dkms 2.4.1-1~bpo13+1~rpt1"
        );
        let both = [pve, change("zfs-dkms", "2.4.1-1~bpo13+1~rpt1", "2.4.4-1")];
        assert_eq!(danger(&both, &before), None);
    }
}
