use heeler_host::dpkg::{self, Holder, Package};
use heeler_host::{RunError, System, initramfs};

use super::damage::Damage;
use super::{UNDER_WAY, content, wait_for};
use crate::engine::{Op, Plan, Step, StepName};

/// Every installation that was begun is finished, as `dpkg --audit` says.
pub(super) struct PackagesFinished;

pub(super) struct Observed {
    unfinished: Vec<Package>,
    /// Packages whose list of files dpkg has lost.
    unlisted: Vec<String>,
    holder: Option<Holder>,
    /// Damaged conffiles of packages that could not be configured.
    damaged: Vec<String>,
    /// Whether a repair of conffiles was interrupted: they have been moved aside, and must come back.
    repairing: bool,
    /// Why apt cannot fetch again what is there in part; None when it can, or need not.
    unfetchable: Option<String>,
}

impl Observed {
    /// The packages whose files must be fetched again.
    fn partial(&self) -> Vec<&str> {
        let broken = self.unfinished.iter().filter(|package| package.needs_its_files());
        let mut names: Vec<&str> = broken.map(|package| package.name.as_str()).collect();
        names.extend(self.unlisted.iter().map(String::as_str));
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl Step for PackagesFinished {
    const NAME: StepName = "PackagesFinished";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let mut unfinished = dpkg::packages(host).await?;
        unfinished.retain(Package::is_unfinished);
        let complaints = dpkg::audit(host).await?;
        let lost = complaints
            .into_iter()
            .filter(|complaint| complaint.text.contains("list control file"));
        let mut seen = Observed {
            unfinished,
            unlisted: lost.flat_map(|complaint| complaint.packages).collect(),
            holder: None,
            damaged: Vec::new(),
            repairing: content(host, UNDER_WAY).await?.is_some(),
            unfetchable: None,
        };
        if !(seen.unfinished.is_empty() && seen.unlisted.is_empty()) {
            seen.holder = dpkg::lock_holder(host).await?;
        }
        let tried = seen
            .unfinished
            .iter()
            .filter(|package| package.state == "half-configured");
        let tried: Vec<&str> = tried.map(|package| package.name.as_str()).collect();
        if !tried.is_empty() {
            let mut differences = dpkg::verify(host, &tried).await?;
            differences.retain(|difference| difference.path != initramfs::CONF);
            let damage = Damage::among(host, differences).await;
            seen.damaged = damage.conffiles.into_iter().map(|(path, _)| path).collect();
        }
        if !seen.partial().is_empty() && seen.holder.is_none() {
            seen.unfetchable = dpkg::reinstallable(host, &seen.partial()).await?.err();
        }
        Ok(seen)
    }

    fn plan(&self, seen: &Observed) -> Plan {
        let partial = seen.partial();
        if seen.unfinished.is_empty() && partial.is_empty() {
            return Plan::Satisfied;
        }
        if let Some(holder) = &seen.holder {
            return wait_for(holder);
        }
        if let Some(package) = seen.unfinished.iter().find(|package| !package.wanted) {
            return Plan::blocked(
                format!("the removal of the package {} was interrupted", package.name),
                "Heeler removes no package, and installs none that somebody wants removed",
                format!("on the node: apt-get remove {}; then: heeler apply", package.name),
            );
        }
        if let Some(path) = seen.damaged.first() {
            return Plan::blocked(
                format!("{path} is damaged, and its package could not be configured"),
                "apt does not reinstall such a package; dpkg alone does",
                format!(
                    "on the node: mv {path} {path}.damaged; cd /tmp; apt-get download PACKAGE, which dpkg -S {path} names; \
                     dpkg --install --force-confold --force-confmiss ./PACKAGE_*.deb; then: heeler apply"
                ),
            );
        }
        let configure = Op::Job(dpkg::configure_command(seen.repairing));
        if partial.is_empty() {
            return Plan::change(vec![configure]);
        }
        let names = partial.join(" ");
        if let Some(why) = &seen.unfetchable {
            return Plan::blocked(
                format!("the installation of {names} was interrupted, and {why}"),
                "its files are there in part, and Heeler must fetch them again",
                format!(
                    "on the node: apt-get update; apt-get install --reinstall {names}; look at what it prints; then: heeler apply"
                ),
            );
        }
        Plan::change(vec![
            Op::Run(dpkg::settle_command()).explained("take what an interrupted dpkg has done into its database"),
            Op::Job(dpkg::reinstall_command(&partial, seen.repairing)),
            configure,
        ])
    }
}
