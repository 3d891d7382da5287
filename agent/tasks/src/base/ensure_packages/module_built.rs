use heeler_host::dpkg::{self, Package};
use heeler_host::{RunError, System, dkms, firmware};

use super::packages_installed::PackagesInstalled;
use super::set::{MODULE, headers, is};
use crate::engine::{Blocked, Op, Plan, Step, StepName};

/// ZFS's module is built for the running kernel. Its package builds none, and does not fail, when the headers were not
/// there.
pub(super) struct ModuleBuilt;

pub(super) struct Observed {
    release: String,
    sources: bool,
    built: bool,
}

impl Step for ModuleBuilt {
    const NAME: StepName = "ModuleBuilt";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let release = firmware::running(host).await?;
        let packages = dpkg::packages(host).await?;
        Ok(Observed {
            sources: packages.iter().any(|one| is(one, MODULE) && Package::is_installed(one)),
            built: host.run(&firmware::zfs_command(&release)).await?.ok(),
            release,
        })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        match seen {
            Observed { built: true, .. } => Plan::Satisfied,
            Observed { sources: false, .. } => Plan::After(PackagesInstalled::NAME),
            Observed { release, .. } => {
                let build = Op::Job(dkms::autoinstall_command(release));
                Plan::change(vec![
                    build.explained(format!("build ZFS's module for the kernel {release}")),
                ])
            }
        }
    }

    fn explain(&self, printed: &str) -> Option<Blocked> {
        let said = printed
            .lines()
            .rev()
            .find(|line| line.contains("Error") || line.contains("ERROR"));
        Some(Blocked::new(
            format!(
                "ZFS's module could not be built: {}",
                said.unwrap_or("dkms says why in its log").trim()
            ),
            "without it the node has no pool",
            format!(
                "on the node: dkms status, and /var/lib/dkms/zfs/*/build/make.log; the kernel may be newer than ZFS supports, or {} \
                 is missing; then: heeler apply",
                headers("$(uname -r)")
            ),
        ))
    }
}
