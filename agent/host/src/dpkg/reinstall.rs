use std::collections::BTreeSet;

use super::LONG;
use crate::{Command, RunError, System};

const INSTALL: [&str; 3] = ["--no-remove", "install", "--reinstall"];

/// `apt-get install --reinstall` of these packages. Conffiles stay as they are; those that are not there come back only
/// with `brings_back`. It waits 10 minutes for dpkg's lock. It exits with 0 also when no mirror has the package.
pub fn reinstall_command(packages: &[&str], brings_back: bool) -> Command {
    let options = [
        "DPkg::Lock::Timeout=600",
        "Dpkg::Use-Pty=0",
        "Dpkg::Options::=--force-confdef",
        "Dpkg::Options::=--force-confold",
    ];
    let missing = brings_back.then_some("Dpkg::Options::=--force-confmiss");
    let options = options.into_iter().chain(missing).flat_map(|option| ["-o", option]);
    let command = Command::change("apt-get").args(["-y", "-q"]).args(options);
    command.args(INSTALL).args(packages.iter().copied()).timeout(LONG)
}

/// The same, only simulated.
pub fn simulate_command(packages: &[&str]) -> Command {
    let command = Command::look("apt-get").args(["-s", "-y", "-q"]);
    command.args(INSTALL).args(packages.iter().copied())
}

/// Whether apt can reinstall these packages, and changes no other one for that; if not, a clause that says why. Fails
/// when apt-get cannot run.
pub async fn reinstallable(host: &dyn System, packages: &[&str]) -> Result<Result<(), String>, RunError> {
    let output = host.run(&simulate_command(packages)).await?;
    if !output.ok() {
        return Ok(Err(format!("apt says: {}", output.complaint())));
    }
    let bare = |name: &str| name.split(':').next().unwrap_or_default().to_owned();
    let asked: BTreeSet<String> = packages.iter().map(|name| bare(name)).collect();
    let named = |kind: &str| -> BTreeSet<String> {
        let lines = output.stdout.lines().filter_map(|line| line.strip_prefix(kind));
        lines
            .map(|rest| bare(rest.split(' ').next().unwrap_or_default()))
            .collect()
    };
    let changed: BTreeSet<String> = named("Inst ").union(&named("Remv ")).cloned().collect();
    let list = |names: Vec<&String>| names.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let without: Vec<&String> = asked.difference(&changed).collect();
    let beside: Vec<&String> = changed.difference(&asked).collect();
    Ok(if !without.is_empty() {
        Err(format!("no mirror that apt knows has {}", list(without)))
    } else if !beside.is_empty() {
        Err(format!("apt would also change {}", list(beside)))
    } else {
        Ok(())
    })
}
