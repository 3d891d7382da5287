use heeler_host::apt::{self, Policy};
use heeler_host::{RunError, System};

use super::repository_fetched::{self, RepositoryFetched};
use crate::engine::{Key, Plan, Step, StepName};

const MANAGER: &str = "pve-manager";
const PROGRAMS: &str = "zfsutils-linux";
const MODULE: &str = "zfs-dkms";
/// With packages of which the repository's version must never be chosen.
const ASKED: [&str; 6] = [MANAGER, PROGRAMS, MODULE, "zfs-zed", "openssh-server", "systemd"];

/// By apt's own account it would take from the repository what the pins allow: a file of a person may say otherwise.
pub(super) struct PinsHold {
    pub(super) fetched: RepositoryFetched,
}

impl Step for PinsHold {
    const NAME: StepName = "PinsHold";
    type Observed = (repository_fetched::Observed, Vec<Policy>);

    async fn observe(&self, host: &dyn System) -> Result<Self::Observed, RunError> {
        Ok((self.fetched.observe(host).await?, apt::policy(host, &ASKED).await?))
    }

    fn plan(&self, (fetched, seen): &Self::Observed) -> Plan {
        if self.fetched.plan(fetched) != Plan::Satisfied {
            return Plan::After(RepositoryFetched::NAME);
        }
        let of = |name: &str| seen.iter().find(|policy| policy.name == name);
        let look = |name: &str| {
            format!(
                "on the node: apt-cache policy {name}, and look for the file with that package in /etc/apt/preferences.d; move it to /root; then: heeler apply"
            )
        };
        if !of(MANAGER).is_some_and(|manager| manager.versions.iter().any(|version| self.has(&version.from))) {
            return Plan::blocked(
                format!("{} has no package {MANAGER} for this node", self.fetched.task.uri),
                "it is no repository of Proxmox, or has nothing for this architecture",
                "",
            )
            .edit(Key::Proxmox, "", "correct the address, the suite and the components");
        }
        if of(MANAGER).is_some_and(|manager| manager.candidate.is_none()) {
            let why = "another file in /etc/apt/preferences.d forbids it";
            return Plan::blocked(format!("apt would not install {MANAGER}"), why, look(MANAGER));
        }
        let taken = seen.iter().find_map(|policy| {
            let chosen = policy.chosen().filter(|version| self.only(&version.from))?;
            (policy.name != MANAGER).then_some((policy, chosen))
        });
        if let Some((policy, chosen)) = taken {
            return Plan::blocked(
                format!(
                    "apt would install {} {} from {}",
                    policy.name,
                    chosen.number,
                    self.host()
                ),
                "another file in /etc/apt/preferences.d allows what Heeler's forbids",
                look(&policy.name),
            );
        }
        let version = |name: &str| of(name)?.candidate.clone();
        match (version(PROGRAMS), version(MODULE)) {
            (Some(programs), Some(module)) if programs != module => Plan::blocked(
                format!("apt would install {PROGRAMS} {programs} beside {MODULE} {module}"),
                "ZFS's programs and its module must be of one version",
                format!(
                    "on the node: apt-cache policy {PROGRAMS} {MODULE} shows which source has which; leave one of them; then: heeler apply"
                ),
            ),
            _ => Plan::Satisfied,
        }
    }
}

impl PinsHold {
    fn host(&self) -> &str {
        self.fetched.task.uri.host()
    }

    fn is(&self, uri: &str) -> bool {
        let machine = uri.split_once("://").and_then(|(_, rest)| rest.split('/').next());
        machine.and_then(|machine| machine.split(':').next()) == Some(self.host())
    }

    fn has(&self, from: &[String]) -> bool {
        from.iter().any(|uri| self.is(uri))
    }

    /// An installed version counts as another origin: apt keeps it.
    fn only(&self, from: &[String]) -> bool {
        !from.is_empty() && from.iter().all(|uri| self.is(uri))
    }
}
