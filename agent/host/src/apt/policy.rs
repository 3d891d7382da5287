use crate::ask::ask;
use crate::{Command, RunError, System};

/// What apt would install of a package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// The package's name.
    pub name: String,
    /// The installed version.
    pub installed: Option<String>,
    /// The version that apt would install; None when it would install none.
    pub candidate: Option<String>,
    /// The versions that it knows, newest first.
    pub versions: Vec<Version>,
}

/// A version of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its number.
    pub number: String,
    /// The addresses of the repositories that have it; an absolute path for the one that is installed.
    pub from: Vec<String>,
}

impl Policy {
    /// The version that apt would install.
    pub fn chosen(&self) -> Option<&Version> {
        let candidate = self.candidate.as_ref()?;
        self.versions.iter().find(|version| version.number == *candidate)
    }
}

/// `apt-cache policy` of these packages; those that apt does not know are left out.
pub async fn policy(host: &dyn System, names: &[&str]) -> Result<Vec<Policy>, RunError> {
    let command = Command::look("apt-cache").arg("policy").args(names.iter().copied());
    Ok(parse(&ask(host, &command).await?.stdout))
}

/// Reads what `apt-cache policy NAME…` printed.
pub fn parse(printed: &str) -> Vec<Policy> {
    let mut all: Vec<Policy> = Vec::new();
    for line in printed.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let known = |word: &str| Some(word.to_owned()).filter(|word| word != "(none)");
        match (all.last_mut(), words.as_slice()) {
            (_, [name]) if !line.starts_with(' ') => all.push(Policy {
                name: name.trim_end_matches(':').to_owned(),
                ..Policy::default()
            }),
            (Some(policy), ["Installed:", version]) => policy.installed = known(version),
            (Some(policy), ["Candidate:", version]) => policy.candidate = known(version),
            (Some(policy), ["***", number, _] | [number, _])
                if !line.starts_with("        ") && *number != "Version" =>
            {
                policy.versions.push(Version {
                    number: (*number).to_owned(),
                    from: Vec::new(),
                });
            }
            (Some(policy), [_, from, ..]) if line.starts_with("        ") => {
                if let Some(version) = policy.versions.last_mut() {
                    version.from.push((*from).to_owned());
                }
            }
            _ => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_with_their_origins() {
        let all = parse(include_str!("../../fixtures/apt-3.0.4/apt-cache-policy.stdout"));
        assert_eq!(
            all,
            parse(include_str!("../../fixtures/apt-2.6.1/apt-cache-policy.stdout"))
        );
        let short: Vec<_> = all
            .iter()
            .map(|one| (one.name.as_str(), one.candidate.as_deref(), one.versions.len()))
            .collect();
        let expected = [
            ("proxmox-ve", None, 1),
            ("proxmox-default-kernel", None, 1),
            ("zfsutils-linux", Some("2.3.9-0+deb13u1"), 2),
            ("libzfs7linux", None, 1),
            ("zfs-dkms", Some("2.3.9-0+deb13u1"), 1),
            ("corosync", Some("3.1.9-pve2"), 2),
            ("openssh-server", Some("10"), 2),
            ("pve-manager", Some("9.2.18"), 1),
        ];
        assert_eq!(short, expected);
        let zfs = &all[2];
        assert_eq!(zfs.versions[0].from, ["http://download.proxmox.com/debian/pve"]);
        assert_eq!(zfs.chosen().unwrap().from, ["http://deb.debian.org/debian"]);
        let ssh = &all[6];
        assert_eq!(ssh.installed.as_deref(), Some("10"));
        assert_eq!(
            ssh.chosen().unwrap().from,
            ["http://deb.debian.org/debian", "/var/lib/dpkg/status"]
        );
    }
}
